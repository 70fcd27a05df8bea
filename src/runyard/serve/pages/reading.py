"""Reads what a page shows from the records of a root."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runyard.base import UsageError, read_tail
from runyard.record import RunPaths, RunRecord, SweepPaths, read_runs
from runyard.registry import list_sweeps

TAIL_BYTES = 64_000


def sweep_rows(root: Path, words: str) -> list[dict[str, Any]]:
    """The sweeps below a root whose id, experiment or state holds every one of the words; newest first."""
    wanted = words.lower().split()
    found = []
    for row in _below(root):
        text = f"{row['sweep_id']} {row['experiment']} {row['state']}".lower()
        if all(word in text for word in wanted):
            found.append(row)
    return found


def sweep_dir_of(root: Path, sweep_id: str) -> Path:
    """The directory of the sweep with exactly this id: never a path that came with a request.

    Raises:
        UsageError: no sweep of the root has this id.
    """
    for row in _below(root):
        if row["sweep_id"] == sweep_id:
            return Path(row["path"])
    raise UsageError(f"there is no sweep {sweep_id}", where=str(root), todo="choose one of the list")


def _below(root: Path) -> list[dict[str, Any]]:
    """The sweeps that lie below the root: a registry may know others, which this root's pages are not to show."""
    place = root.resolve()
    return [row for row in list_sweeps(root) if Path(row["path"]).resolve().is_relative_to(place)]


def job_of(sweep_dir: Path, number: int) -> RunRecord:
    """One job of a sweep.

    Raises:
        UsageError: the sweep has no job of this number.
    """
    for run in read_runs(sweep_dir):
        if run.job == number:
            return run
    raise UsageError(f"there is no job {number}", where=sweep_dir.name, todo="choose one of the table")


def columns_of(runs: Sequence[RunRecord], name: str, most: int) -> list[str]:
    """Names of the swept values (``params``) or ``metrics`` that most jobs have, at most so many."""
    counts = Counter(key for run in runs for key in getattr(run, name))
    return [key for key, _ in counts.most_common(most)]


def log_tail(run: RunRecord) -> str:
    """The end of a job's output; empty when it has written none."""
    return read_tail(RunPaths(Path(run.run_dir)).output_log, TAIL_BYTES)[0]


def pictures(sweep_dir: Path) -> list[str]:
    """Names of the figures there are now: the summary first."""
    found = [path.name for path in sorted((sweep_dir / "figures").glob("*.png"))]
    summary = SweepPaths(sweep_dir).summary_png
    return ([summary.name] if summary.is_file() else []) + found


def picture_path(sweep_dir: Path, name: str) -> Path:
    """Where a figure of the list lies.

    Raises:
        UsageError: the list has no such figure, or it leads out of the sweep.
    """
    if name in pictures(sweep_dir):
        summary = SweepPaths(sweep_dir).summary_png
        path = summary if name == summary.name else sweep_dir / "figures" / name
        if path.resolve().is_relative_to(sweep_dir.resolve()):
            return path
    raise UsageError(f"there is no figure {name}", where=sweep_dir.name, todo="choose one of the page")
