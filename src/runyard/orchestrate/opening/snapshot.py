"""What is frozen of a sweep when it is submitted: enough to run any of its jobs without its config files."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from runyard.base import RecordError, UsageError, write_all, write_bytes
from runyard.compose import Frozen, freeze_config
from runyard.record import Entry, SweepPaths

#: points are written in groups of so many.
_GROUP = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What is frozen of a sweep.

    ``master`` is the pickled config of the sweep: it can be unpickled once the application is imported. ``names`` are
    the swept keys in order, ``replicate`` the one that only repeats. ``jobs`` is how many jobs were asked for; None as
    long as that is not known.
    """

    master: bytes
    launcher: Mapping[str, Any]
    entry: Entry | None
    frozen: Frozen = field(default_factory=Frozen)
    names: tuple[str, ...] = ()
    replicate: str | None = None
    jobs: int | None = None


def submission_of(config: DictConfig, entry: Entry | None) -> Submission:
    """What is to be frozen of a sweep whose jobs are not known yet."""
    launcher: Any = OmegaConf.to_container(config.hydra.launcher, resolve=True)
    launcher.pop("_target_", None)
    return Submission(master=freeze_config(config), launcher=launcher, entry=entry)


def freeze(sweep_dir: Path, submission: Submission) -> None:
    """Keeps a submission in the snapshot, readable by its owner alone (it holds what is redacted elsewhere)."""
    paths = SweepPaths(sweep_dir)
    paths.snapshot.mkdir(exist_ok=True)
    write_bytes(paths.frozen, pickle.dumps(submission), mode=0o600, sync=True)


def thaw(sweep_dir: Path) -> Submission:
    """The submission that ``freeze`` kept, with what was composed after it.

    Raises:
        UsageError: there is none: the sweep was not run by this launcher.
        RecordError: it is damaged.
    """
    path = SweepPaths(sweep_dir).frozen
    try:
        submission = pickle.loads(path.read_bytes())
    except FileNotFoundError as exc:
        raise UsageError(
            "this sweep has no snapshot to run from",
            where=str(sweep_dir),
            todo="only sweeps of Runyard's own launchers can be resumed; run the command again for others",
        ) from exc
    except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, TypeError) as exc:
        raise RecordError(path, f"the snapshot is damaged or of another version ({exc})") from exc
    if not isinstance(submission, Submission):
        raise RecordError(path, "not a snapshot of this version")
    for kind, key, value in _composed(SweepPaths(sweep_dir).composed):
        getattr(submission.frozen, kind)[key] = value
    return submission


def _composed(path: Path) -> Iterator[tuple[str, Any, Any]]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        while True:
            try:
                yield pickle.load(file)
            except (EOFError, pickle.UnpicklingError):  # the end, or what a killed writer left
                return


class ComposedFile:
    """Keeps what a composer composes after the submission was frozen."""

    def __init__(self, sweep_dir: Path, frozen: Frozen) -> None:
        """``frozen`` as it is now has been kept already."""
        self._path, self._frozen = SweepPaths(sweep_dir).composed, frozen
        self._kept = {kind: len(getattr(frozen, kind)) for kind in ("bases", "exact", "groups")}

    def flush(self) -> None:
        """Writes what is new. Call it before a job that needs it runs."""
        parts = []
        for kind, kept in self._kept.items():
            known = getattr(self._frozen, kind)
            if len(known) > kept:
                parts += [pickle.dumps((kind, key, known[key])) for key in list(known)[kept:]]
                self._kept[kind] = len(known)
        if parts:
            _append_private(self._path, b"".join(parts))


class PointsFile:
    """The overrides of every job of a sweep, in order."""

    def __init__(self, sweep_dir: Path) -> None:
        self._path = SweepPaths(sweep_dir).points

    def append(self, points: Iterable[Sequence[str]]) -> Iterator[tuple[str, ...]]:
        """Writes points as they are taken from the iterator that this returns."""
        self._path.parent.mkdir(exist_ok=True)
        lines: list[str] = []
        for point in points:
            yield tuple(point)
            lines.append(json.dumps(list(point)) + "\n")
            if len(lines) >= _GROUP:
                _append_private(self._path, "".join(lines).encode("ascii"))
                lines.clear()
        _append_private(self._path, "".join(lines).encode("ascii"))

    def cut(self, count: int) -> None:
        """Leaves the first ``count`` points: more were not submitted."""
        if not count:
            self._path.unlink(missing_ok=True)
            return
        with self._path.open("rb+") as file:
            for _ in range(count):
                file.readline()
            file.truncate(file.tell())

    def read(self, first: int = 0, count: int | None = None) -> Iterator[tuple[str, ...]]:
        """The points from ``first`` on, ``count`` of them, or all; one at a time.

        Raises:
            RecordError: the file is damaged or gone.
        """
        try:
            with self._path.open("rb") as file:
                for number, line in enumerate(file):
                    if count is not None and number >= first + count:
                        return
                    if number >= first:
                        yield tuple(json.loads(line))
        except (OSError, ValueError, TypeError) as exc:
            raise RecordError(self._path, f"the jobs of the sweep cannot be read ({exc})") from exc


def _append_private(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        write_all(descriptor, data)
    finally:
        os.close(descriptor)
