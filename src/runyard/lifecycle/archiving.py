"""Archiving a sweep, and bringing it back: a move to another root, with ``metadata.json`` to tell how it came there."""

from __future__ import annotations

import dataclasses
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from runyard.base import RecordError, UsageError, iso, read_json, utc_now, write_json
from runyard.lifecycle.keeping import PROMOTED_FILE, promotions
from runyard.lifecycle.listed import delist, enlist, pass_on_latest
from runyard.lifecycle.moving import difference, move_folder
from runyard.lifecycle.status import Limits, status_of
from runyard.lifecycle.work import idle
from runyard.record import RUN_FILE, SweepRecord, find_run_dirs, read_run, read_sweep

METADATA_FILE = "metadata.json"
SCHEMA = 1
#: what says what a sweep was and came to: kept whatever pattern is given.
_RECORDS = (
    ".hydra", "snapshot", "journal", "tables", "sweep.json", RUN_FILE, "stage.json", "plan.csv", "journal.jsonl",
    "config.yaml", "multirun.yaml", "results.csv", "results.parquet", "summary.csv", "notes.md", "gates.json",
    METADATA_FILE, PROMOTED_FILE, ".controller",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A file that was not kept: its place in the sweep, and its size in bytes."""

    path: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What ``metadata.json`` says. ``source`` is where the sweep was, ``root`` the root that it was in, or None."""

    sweep_id: str
    experiment: str
    status: str
    why: str
    state: str
    archived_at: str
    host: str
    source: str
    root: str | None
    dropped: tuple[Dropped, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A sweep that was archived or restored, or would be. ``trouble``: why registry or index do not know it yet."""

    source: Path
    target: Path
    metadata: Metadata
    trouble: str = ""


def default_archive(root: Path) -> Path:
    """Where sweeps of a root are archived unless told otherwise: ``multirun-archive`` beside ``multirun``."""
    return root.with_name(f"{root.name}-archive")


def archive_sweep(
    sweep_dir: Path,
    *,
    root: Path | None,
    to: Path | None = None,
    drop: Sequence[str] = (),
    keep: Sequence[str] = (),
    conf_dirs: Sequence[Path] = (),
    limits: Limits | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
) -> Move:
    """Moves a sweep into an archive.

    A kill at any instant leaves the sweep whole where it was, or whole in the archive. The archive is a root of its
    own: ``--root`` names it to every command.

    Args:
        sweep_dir: the sweep, or single run.
        root: the root whose registry, index and ``latest`` know it, or None.
        to: the archive; None for ``default_archive``.
        drop: patterns of files to delete: of the name, or of the path inside the sweep. Records are always kept, and
            so are all files of promoted runs.
        keep: patterns of files that are kept nevertheless.
        conf_dirs: config directories whose champions are known.
        limits: days that make the status in metadata.json.
        dry_run: change nothing.
        now: the time, for tests.

    Raises:
        SweepBusy: somebody works on the sweep.
        UsageError: the archive lies inside the root, or the place in it is taken.
        RecordError: a file of the sweep cannot be read.
    """
    record, moment, trouble = read_sweep(sweep_dir), now or utc_now(), ""
    target = _place(sweep_dir, record, root, to)
    promoted = {hold.job for hold in promotions(sweep_dir, record.sweep_id, conf_dirs)}
    with idle(sweep_dir, "be archived"):
        judged = status_of(sweep_dir, record, now=moment, limits=limits or Limits())
        gone = matching(sweep_dir, drop, keep, promoted)
        before = read_metadata(sweep_dir)
        metadata = Metadata(
            sweep_id=record.sweep_id,
            experiment=record.experiment,
            status=judged.status.value,
            why=judged.why,
            state=record.state.value,
            archived_at=iso(moment),
            host=socket.gethostname(),
            source=os.path.abspath(sweep_dir),
            root=os.path.abspath(root) if root is not None else None,
            dropped=(*(before.dropped if before else ()), *gone),
        )
        if target.exists() and difference(sweep_dir, target, aside=(METADATA_FILE,)) is not None:
            raise UsageError(
                "the place in the archive is taken", where=str(target), todo="give another archive with --to"
            )
        if not dry_run:
            _write_metadata(sweep_dir, metadata)
            trouble = _let_go(root, record, sweep_dir)
            move_folder(sweep_dir, target, aside=(METADATA_FILE,))
            if read_metadata(target) != metadata:  # the copy is of an earlier command, which was killed
                _write_metadata(target, metadata)
            for file in gone:
                (target / file.path).unlink(missing_ok=True)
    if not dry_run:
        trouble = trouble or _list_again(record, target, left=root, entered=_archive_of(root, to, target))
    return Move(source=sweep_dir, target=target, metadata=metadata, trouble=trouble)


def restore_sweep(archived_dir: Path, *, archive: Path | None, dry_run: bool = False) -> Move:
    """Moves a sweep out of an archive, to where it was. Where files were dropped, ``metadata.json`` stays to say which.

    Args:
        archived_dir: where it lies.
        archive: the root that the archive is, or None.
        dry_run: change nothing.

    Raises:
        UsageError: it is not archived, or its place is taken.
        SweepBusy: somebody works on it.
    """
    record, metadata = read_sweep(archived_dir), read_metadata(archived_dir)
    if metadata is None or os.path.realpath(metadata.source) == os.path.realpath(archived_dir):
        raise UsageError(f"{record.sweep_id} is not archived", where=str(archived_dir))
    lost = tuple(file for file in metadata.dropped if not os.path.lexists(archived_dir / file.path))
    metadata = dataclasses.replace(metadata, dropped=lost)  # an archive command that was killed has dropped a part
    target = Path(metadata.source)
    if target.exists() and difference(archived_dir, target) is not None:
        raise UsageError(
            f"{record.sweep_id} cannot go back: something else is in its place",
            where=str(target),
            todo="move what is there, and restore again",
        )
    trouble = ""
    if not dry_run:
        with idle(archived_dir, "be restored"):
            trouble = _let_go(archive, record, archived_dir)
            move_folder(archived_dir, target)
            if lost:
                _write_metadata(target, metadata)
            else:
                (target / METADATA_FILE).unlink(missing_ok=True)
        home = Path(metadata.root) if metadata.root else None
        trouble = trouble or _list_again(record, target, left=archive, entered=home)
    return Move(source=archived_dir, target=target, metadata=metadata, trouble=trouble)


def _let_go(root: Path | None, record: SweepRecord, sweep_dir: Path) -> str:
    """Has ``latest`` name another sweep before this one goes; returns what went wrong, which is no reason to stop."""
    try:
        if root is not None:
            pass_on_latest(root, record, sweep_dir)
    except (RecordError, OSError) as exc:
        return str(exc)
    return ""


def _list_again(record: SweepRecord, sweep_dir: Path, *, left: Path | None, entered: Path | None) -> str:
    """Brings the common files of both roots up to the files; returns what went wrong: 'runyard reindex' mends it."""
    try:
        if left is not None and left.is_dir():
            delist(left, record)
        if entered is not None:
            enlist(entered, record, sweep_dir)
    except (RecordError, OSError) as exc:
        return str(exc)
    return ""


def _place(sweep_dir: Path, record: SweepRecord, root: Path | None, to: Path | None) -> Path:
    archive = to or (default_archive(root) if root is not None else None)
    if archive is None:
        raise UsageError(
            f"{record.sweep_id} lies below no known root, so that its archive must be named",
            where=str(sweep_dir),
            todo="--to DIR",
        )
    here, there = os.path.realpath(sweep_dir), os.path.realpath(archive)
    for folder, what in ((os.path.realpath(root) if root is not None else None, "root"), (here, "sweep")):
        if folder is not None and (there == folder or there.startswith(folder + os.sep)):
            raise UsageError(
                f"the archive lies inside the {what}", where=str(archive), todo="name a folder outside: --to DIR"
            )
    if root is not None and here.startswith(os.path.realpath(root) + os.sep):
        return archive / os.path.relpath(here, os.path.realpath(root))
    return archive / record.experiment / sweep_dir.name


def _archive_of(root: Path | None, to: Path | None, target: Path) -> Path:
    if to is not None:
        return to
    return default_archive(root) if root is not None else target.parent


def matching(
    sweep_dir: Path, drop: Sequence[str], keep: Sequence[str], promoted: set[int | None]
) -> tuple[Dropped, ...]:
    """Files that patterns drop: those that match one of ``drop`` and none of ``keep``, and are no records."""
    if not drop:
        return ()
    safe = {Path(folder) for folder in find_run_dirs(sweep_dir) if _job_of(folder) in promoted}
    found = []
    for above, folders, files in os.walk(sweep_dir):
        folders[:] = sorted(name for name in folders if name not in _RECORDS and Path(above, name) not in safe)
        for name in sorted(files):
            path = Path(above, name)
            inside = str(path.relative_to(sweep_dir))
            if name not in _RECORDS and _matches(inside, name, drop) and not _matches(inside, name, keep):
                found.append(Dropped(path=inside, bytes=path.lstat().st_size))
    return tuple(found)


def _matches(inside: str, name: str, patterns: Sequence[str]) -> bool:
    return any(
        fnmatchcase(name, pattern) or fnmatchcase(inside, pattern) or fnmatchcase(inside, f"*/{pattern.rstrip('/')}/*")
        for pattern in patterns
    )


def _job_of(run_dir: Path) -> int | None:
    try:
        run = read_run(run_dir)
    except RecordError:
        return None
    return run.job if run is not None else None


def _write_metadata(sweep_dir: Path, metadata: Metadata) -> None:
    value = {"schema": SCHEMA, **dataclasses.asdict(metadata)}
    write_json(sweep_dir / METADATA_FILE, value, sync=True)


def read_metadata(sweep_dir: Path) -> Metadata | None:
    """How a sweep came into its archive; None where it never was in one.

    Raises:
        RecordError: the file says something else.
    """
    path = sweep_dir / METADATA_FILE
    try:
        value: Any = read_json(path)
    except FileNotFoundError:
        return None
    try:
        if value["schema"] != SCHEMA:
            raise RecordError(path, f"schema {value['schema']!r}; this version reads {SCHEMA}")
        fields = {f.name: value[f.name] for f in dataclasses.fields(Metadata)}
        fields["dropped"] = tuple(Dropped(**entry) for entry in fields["dropped"])
        return Metadata(**fields)
    except (KeyError, TypeError, AttributeError) as exc:
        raise RecordError(path, f"not the metadata of an archived sweep ({exc!r})") from exc
