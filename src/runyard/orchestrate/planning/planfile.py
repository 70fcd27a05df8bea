"""The plan file of a sweep that was submitted: is it still what was planned, and how it is brought back."""

from __future__ import annotations

from pathlib import Path

from runyard.base import UsageError, write_bytes
from runyard.record import Ledger, SweepPaths, is_marked, replay


def check_plan_file(sweep_dir: Path, ledger: Ledger) -> None:
    """Raises UsageError when ``plan.csv`` is not what was planned: someone has edited it in its place."""
    path = SweepPaths(sweep_dir).plan_csv
    if ledger.mark is not None and not is_marked(path, ledger.mark):
        problem = "it is not what was written" if path.exists() else "it is gone"
        raise UsageError(
            f"plan.csv is not the plan that was submitted ({problem})",
            where=str(path),
            todo="'runyard collect' brings the submitted plan back; to run an edited one, copy it elsewhere and start "
            "a new sweep with hydra.sweeper.table=FILE",
        )


def restore_plan_file(sweep_dir: Path) -> bool:
    """Writes the submitted plan again where ``plan.csv`` is not it; returns whether that was so."""
    paths, mark = SweepPaths(sweep_dir), replay(SweepPaths(sweep_dir).journal).mark
    if mark is None or is_marked(paths.plan_csv, mark) or not is_marked(paths.plan_copy, mark):
        return False
    write_bytes(paths.plan_csv, paths.plan_copy.read_bytes()[: mark.size])
    return True
