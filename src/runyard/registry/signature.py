"""What tells that the files of a sweep have not changed: times and sizes, of its own files and of its runs' records."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from runyard.base import RecordError
from runyard.record import RUN_FILE, SweepPaths, find_run_dirs, iter_plan


def signature_of(sweep_dir: Path) -> str:
    """A text that changes when a file is replaced, grows, comes or goes from which the registry's rows are made.

    Looks at ``sweep.json``, ``plan.csv``, the journal with its parts, and the ``run.json`` of every planned job; of a
    sweep without a plan, of every run that is there. Opens none but the plan. A file that was changed and given its
    old time and size back is not noticed.
    """
    paths = SweepPaths(sweep_dir)
    files = [str(paths.sweep_json), str(paths.plan_csv), str(paths.journal), *_parts(paths.parts)]
    found = hashlib.blake2b(digest_size=16)
    for path in (*files, *_run_files(sweep_dir)):
        found.update(_mark(path))
    return found.hexdigest()


def _parts(folder: Path) -> list[str]:
    try:
        return sorted(str(folder / name) for name in os.listdir(folder) if name.endswith(".jsonl"))
    except OSError:
        return []


def _run_files(sweep_dir: Path) -> Iterator[str]:
    """The places of the runs' records, in an order that is the same each time."""
    base, any_planned = str(sweep_dir), False
    try:
        for row in iter_plan(SweepPaths(sweep_dir).plan_csv):
            any_planned = True
            yield f"{base}/{row.run_dir}/{RUN_FILE}"
    except (RecordError, OSError):
        any_planned = False  # a plan that cannot be read counts as none, as for whoever reads the runs
    if not any_planned:
        yield from sorted(f"{path}/{RUN_FILE}" for path in find_run_dirs(sweep_dir))


def _mark(path: str) -> bytes:
    try:
        stat = os.stat(path)
    except OSError:
        return b"-;"
    return b"%d,%d;" % (stat.st_mtime_ns, stat.st_size)
