"""The sweeper's use case: from the command line's overrides to jobs, with whatever launcher."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, OmegaConf

from runyard.base import SweepState, UsageError
from runyard.plan import Axis, axes_of, grid, grid_size, table_jobs
from runyard.record import count_states, read_plan_table, read_runs, shown
from runyard.sweep.closing import reference
from runyard.sweep.config import absolute
from runyard.sweep.execution import Application, Execution
from runyard.sweep.finish import finish, index
from runyard.sweep.opening import OpenSweep

_SHOWN_ROWS = 40
OUR_SWEEPER = "hydra_plugins.runyard.sweeper.RunyardSweeper"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweeperSettings:
    """``hydra.sweeper.*``; the meaning of each key is in docs/configuration.md."""

    params: Mapping[str, str] = field(default_factory=dict)
    table: str | None = None
    dry_run: bool = False
    max_batch_size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPoints:
    """The overrides of every job, and the keys that are swept."""

    jobs: list[list[str]]
    names: list[str]


def sweeper_settings(config: DictConfig) -> SweeperSettings | None:
    """The settings of our sweeper in a composed config, or None when another sweeper is chosen."""
    node: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
    if node.pop("_target_", "") != OUR_SWEEPER:
        return None
    return SweeperSettings(**{**node, "params": node.get("params") or {}})


def points_of(app: Application, settings: SweeperSettings, arguments: Sequence[str]) -> SweepPoints:
    """The jobs that a command line and the sweeper's settings ask for.

    Raises:
        UsageError: a sweep without a list of values, or a table that is none.
        hydra.errors.HydraException: an override is not in Hydra's grammar.
    """
    parser = OverridesParser.create(config_loader=app.context.config_loader)
    params = {str(k): parser.parse_override(f"{k}={v}") for k, v in settings.params.items()}
    axes = axes_of(parser.parse_overrides(list(arguments)), params)
    if settings.table is not None:
        return _from_table(app.config, settings.table, axes, parser)
    names = [axis.name for axis in axes if axis.swept]
    if grid_size(axes) == 0:
        empty = next(axis.name for axis in axes if not axis.overrides)
        raise UsageError(f"the sweep over {empty} has no values", where=empty, todo="give it at least one")
    return SweepPoints(jobs=list(grid(axes)), names=names)


def _from_table(config: DictConfig, table: str, axes: Sequence[Axis], parser: OverridesParser) -> SweepPoints:
    path = absolute(config, table)
    rows = read_plan_table(path)
    names = list(dict.fromkeys(name for row in rows for name in row))
    for axis in axes:
        if axis.swept and axis.name in names:
            raise UsageError(
                f"{axis.name} is a column of the table, and swept besides",
                where="hydra.sweeper.table",
                todo="take the sweep away, or the column",
            )
    fixed = [axis for axis in axes if axis.name not in names]
    return SweepPoints(jobs=table_jobs(rows, fixed, str(path), parser.parse_override), names=names)


def show_plan(execution: Execution, points: SweepPoints) -> None:
    """A dry run: plans and prints; runs nothing. ``runyard resume`` can run it."""
    execution.plan_all()
    opened = execution.opened
    opened.save(state=SweepState.PENDING, counts=count_states(read_runs(opened.dir)), controller=None)
    index(opened, latest=False)
    for line in plan_lines(points, opened):
        sys.stdout.write(line + "\n")


def plan_lines(points: SweepPoints, opened: OpenSweep) -> list[str]:
    """The plan as a table for the terminal: the first rows and the last."""
    values = [{o.partition("=")[0]: o.partition("=")[2] for o in job} for job in points.jobs]
    rows = [[str(n), *(v.get(name, "") for name in points.names)] for n, v in enumerate(values)]
    header = ["job", *points.names]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in [header, *rows]]
    if len(rows) > _SHOWN_ROWS:
        lines = [*lines[: _SHOWN_ROWS - 3], f"... {len(rows) - _SHOWN_ROWS + 1} more ...", *lines[-3:]]
    lines.append(f"{len(rows)} jobs; nothing was run")
    lines.append(f"  plan: {shown(opened.paths.plan_csv)}  (edit it and run it with hydra.sweeper.table=PLAN)")
    if opened.entry is not None:
        lines.append(f"  to run it as it stands: runyard resume {reference(opened)}")
    return lines


def run_batches(
    opened: OpenSweep, launcher: Launcher, points: SweepPoints, size: int | None
) -> list[Sequence[JobReturn]]:
    """Launches every job by a launcher that is not ours, ``size`` at a time (None: all at once).

    Args:
        opened: the sweep.
        launcher: whichever was chosen.
        points: its jobs.
        size: jobs in a batch.

    Raises:
        Exception: what the launcher raised, after the files are made.
    """
    step = size or max(1, len(points.jobs))
    try:
        return [
            launcher.launch(points.jobs[first : first + step], initial_job_idx=first)
            for first in range(0, len(points.jobs), step)
        ]
    finally:
        finish(opened)


def first_failure(returns: Sequence[Sequence[JobReturn]]) -> JobReturn | None:
    """The first job that did not complete, or None."""
    return next((r for batch in returns for r in batch if r.status is not JobStatus.COMPLETED), None)


def save_multirun(config: DictConfig) -> None:
    """Writes ``multirun.yaml`` into the sweep's directory, as Hydra's own sweeper does."""
    folder = Path(str(config.hydra.sweep.dir))
    folder.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(config, folder / "multirun.yaml")
