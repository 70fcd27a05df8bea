"""The sweeper's use case: from the command line's overrides to jobs, with whatever launcher."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, OmegaConf

from runyard.base import SweepState
from runyard.orchestrate.ending import finish, index, reference
from runyard.orchestrate.opening import OpenSweep, PointsFile
from runyard.orchestrate.submitting import SubmittedSweep
from runyard.plan import Left
from runyard.record import count_states, iter_plan, read_runs, shown

_SHOWN_ROWS = 40


def show_plan(sweep: SubmittedSweep, left: Left) -> None:
    """A dry run: plans and prints; runs nothing. ``runyard resume`` can run it."""
    sweep.plan_all()
    opened = sweep.opened
    opened.save(state=SweepState.PENDING, counts=count_states(read_runs(opened.dir)), controller=None)
    index(opened, latest=False)
    for line in (*plan_lines(sweep), *left_lines(left), *_next_lines(opened)):
        sys.stdout.write(line + "\n")


def plan_lines(sweep: SubmittedSweep) -> list[str]:
    """The plan as a table for the terminal: the first rows and the last."""
    count, names = sweep.jobs.count, sweep.jobs.names
    first, last = (_SHOWN_ROWS - 3, count - 3) if count > _SHOWN_ROWS else (count, count)
    shown_rows = [
        [str(row.job), *(row.values.get(name, "") for name in names), row.note]
        for row in iter_plan(sweep.opened.paths.plan_csv)
        if row.job < first or row.job >= last
    ]
    rows = [["job", *names, "plan"], *shown_rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(names) + 2)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    if last > first:
        lines.insert(first + 1, f"... {last - first} more ...")
    return [*lines, *sweep.outlook(), "nothing was run"]


def left_lines(left: Left) -> list[str]:
    """What of the combinations became no job."""
    told = [
        f"{left.excluded} left out by hydra.sweeper.include and exclude" if left.excluded else "",
        f"{left.duplicates} left out as duplicates" if left.duplicates else "",
        f"{left.cut} left out by hydra.sweeper.max_jobs" if left.cut else "",
    ]
    return [f"  {text}" for text in told if text]


def _next_lines(opened: OpenSweep) -> list[str]:
    lines = [f"  plan: {shown(opened.paths.plan_csv)}  (edit it and run it with hydra.sweeper.table=PLAN)"]
    if opened.entry is not None:
        lines.append(f"  to run it as it stands: runyard resume {reference(opened)}")
    return lines


def run_batches(sweep: SubmittedSweep, launcher: Launcher, size: int | None) -> list[Sequence[JobReturn]]:
    """Launches every job by a launcher that is not ours, ``size`` at a time (None: all at once).

    Raises:
        Exception: what the launcher raised, after the sweep's files are made.
    """
    count = sweep.jobs.count
    step = size or max(1, count)
    points = PointsFile(sweep.opened.dir)
    try:
        return [
            launcher.launch([list(p) for p in points.read(first, step)], initial_job_idx=first)
            for first in range(0, count, step)
        ]
    finally:
        finish(sweep.opened)


def first_failure(returns: Sequence[Sequence[JobReturn]]) -> JobReturn | None:
    """The first job that did not complete, or None."""
    return next((r for batch in returns for r in batch if r.status is not JobStatus.COMPLETED), None)


def save_multirun(config: DictConfig) -> None:
    """Writes ``multirun.yaml`` into the sweep's directory, as Hydra's own sweeper does."""
    folder = Path(str(config.hydra.sweep.dir))
    folder.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(config, folder / "multirun.yaml")
