"""What must not be freed: what was promoted, what a person has tagged ``keep``, what others refer to. Reads only."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runyard.base import RecordError, read_json, write_json
from runyard.lifecycle.champions import read_champions
from runyard.lifecycle.overlay import GROUP
from runyard.record import LATEST, RUN_FILE, SWEEP_FILE, SweepPaths, SweepRecord, read_runs
from runyard.registry import list_sweeps

KEEP_TAG = "keep"
PROMOTED_FILE = "promoted.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A reason to keep something of a sweep: ``job`` None means all of it."""

    job: int | None
    why: str


def mark_promoted(sweep_dir: Path, job: int, name: str, config: Path, promoted_at: str) -> None:
    """Notes in a sweep that a run of it was promoted, so that this is known whatever becomes of the config."""
    entry = {"job": job, "name": name, "config": os.path.abspath(config), "promoted_at": promoted_at}
    value = {"schema": 1, "promotions": [*_marks(sweep_dir), entry]}
    write_json(sweep_dir / PROMOTED_FILE, value, sync=True)


def _marks(sweep_dir: Path) -> list[Mapping[str, Any]]:
    """What ``mark_promoted`` has noted. Raises RecordError on a file of another kind: rather keep too much."""
    path = sweep_dir / PROMOTED_FILE
    try:
        value: Any = read_json(path)
        return [{**entry, "job": int(entry["job"])} for entry in value["promotions"]]
    except FileNotFoundError:
        return []
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise RecordError(path, f"not a list of promotions ({exc})") from exc


def promotions(sweep_dir: Path, sweep_id: str, conf_dirs: Sequence[Path]) -> list[Hold]:
    """The promotions of runs of a sweep, now or before: by its own note, and by the histories of config directories.

    Raises:
        RecordError: one of the files cannot be read.
    """
    found = {(entry["job"], str(entry["name"])) for entry in _marks(sweep_dir)}
    for folder in conf_dirs:
        found |= {(c.job, c.name) for c in read_champions(folder / GROUP) if c.sweep_id == sweep_id}
    return [Hold(job=job, why=f"was promoted as {name!r}") for job, name in sorted(found)]


def holds_on(sweep_dir: Path, record: SweepRecord, *, roots: Sequence[Path], conf_dirs: Sequence[Path]) -> list[Hold]:
    """Every reason to keep a sweep or a run of it.

    Promotions; the tag ``keep``; runs elsewhere whose result was taken over from it; sweeps whose gates have it as
    their baseline; links elsewhere below the roots that lead into it.

    Raises:
        RecordError: a history of promotions cannot be read.
    """
    found = promotions(sweep_dir, record.sweep_id, conf_dirs)
    if KEEP_TAG in record.tags:
        found.append(Hold(job=None, why=f"is tagged {KEEP_TAG!r}"))
    for root in roots:
        for row in list_sweeps(root):
            other = Path(row["path"])
            if os.path.realpath(other) != os.path.realpath(sweep_dir):
                found += _of_sweep(other, sweep_dir, record)
        found += _links(root, sweep_dir)
    return found


def _of_sweep(other: Path, sweep_dir: Path, record: SweepRecord) -> Iterator[Hold]:
    """How another sweep refers to this one."""
    try:
        baseline = read_json(SweepPaths(other).sweep_json).get("baseline")
    except (OSError, RecordError, AttributeError):
        baseline = None
    if baseline and os.path.realpath(baseline) == os.path.realpath(sweep_dir):
        yield Hold(job=None, why=f"is the baseline of {other.name}")
    for run in read_runs(other):
        if run.reused is not None and run.reused.get("sweep_id") == record.sweep_id:
            yield Hold(job=int(run.reused["job"]), why=f"its result is also that of {other.name}/{run.job}")


def _links(root: Path, sweep_dir: Path) -> Iterator[Hold]:
    """Links below a root, ``latest`` aside, that lead into a sweep from outside."""
    base = os.path.realpath(sweep_dir)
    for folder, names, files in os.walk(root):
        if os.path.realpath(folder) == base:
            names.clear()
            continue
        for name in (*names, *files):
            path = os.path.join(folder, name)
            if name == LATEST or not os.path.islink(path):
                continue
            target = os.path.realpath(path)
            if target == base or target.startswith(base + os.sep):
                yield Hold(job=_job_at(Path(target), Path(base)), why=f"the link {path} leads to it")


def _job_at(target: Path, sweep_dir: Path) -> int | None:
    """The job whose folder a place is in; None when it is none's."""
    for folder in (target, *target.parents):
        if folder == sweep_dir or (folder / SWEEP_FILE).is_file():
            return None
        if (folder / RUN_FILE).is_file():
            try:
                return int(read_json(folder / RUN_FILE)["job"])
            except (RecordError, KeyError, TypeError, ValueError):
                return None
    return None
