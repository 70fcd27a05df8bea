"""A sweep as it is read for its results: records, job table, summary, axes. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from runyard.analyze.axes import Axis, axes_of
from runyard.analyze.cells import Columns
from runyard.analyze.jobtable import JobTable, job_table, to_frame
from runyard.analyze.mixing import is_damaged, kinds_by_group, mixed_runs, unplanned_seeds
from runyard.analyze.mixture import MixedRun, Mixture, mixtures_among
from runyard.analyze.summary import MIXED, summary_columns
from runyard.base import RecordError, SweepState
from runyard.record import RunRecord, SweepRecord, read_plan, read_runs, read_sweep


@dataclass(frozen=True, kw_only=True)  # without slots, for what is read only when asked for
class LoadedSweep:
    """A sweep and what came out of it.

    ``runs`` are its jobs in order, those that have not run too; ``table`` and ``summary_table`` are their cells.
    ``problems`` says in sentences what on disk could not be read. ``names`` are the columns of the swept names.
    What the runs mix is read from their files at the first question.
    """

    dir: Path
    sweep: SweepRecord
    runs: tuple[RunRecord, ...]
    table: JobTable
    summary_table: Columns
    axes: tuple[Axis, ...]
    problems: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the swept names, in the plan's order."""
        return self.table.names

    @property
    def metrics(self) -> tuple[str, ...]:
        """Columns of the metrics, in the order in which jobs report them."""
        return self.table.metrics

    @property
    def results(self) -> pd.DataFrame:
        """DataFrame: one row per job; columns as in ``results_frame``. Made anew at every call."""
        return to_frame(self.table.columns)

    @property
    def summary(self) -> pd.DataFrame:
        """DataFrame: one row per combination; columns as in ``summary_columns``. Made anew at every call."""
        return to_frame(self.summary_table)

    @cached_property
    def mixtures(self) -> tuple[Mixture, ...]:
        """What an average over the sweep's runs mixes; empty when nothing."""
        return mixtures_among(self.mixed_runs, unplanned_seeds(self.table))

    @cached_property
    def mixed_runs(self) -> tuple[MixedRun, ...]:
        """What is looked at of each run, in the order of ``runs``."""
        return tuple(mixed_runs(self.runs, self.table, sweep_dir=self.dir, swept=_declared(self.runs, self.names)))

    @property
    def mixed(self) -> Columns:
        """The column of summary.csv that says for each row what its runs mix: kinds with ``;`` between them."""
        cells = [run.cell for run in self.mixed_runs]
        kinds = kinds_by_group(self.mixed_runs, cells, max(cells, default=-1) + 1)
        return {MIXED: [";".join(found) or None for found in kinds]}


def mixtures_of(loaded: LoadedSweep) -> tuple[Mixture, ...]:
    """What an average over a sweep's runs mixes; empty when nothing."""
    return loaded.mixtures


def _declared(runs: Sequence[RunRecord], names: Sequence[str]) -> list[str]:
    """The swept names, also as the overrides write them where a column of the table has a prefix."""
    return list(dict.fromkeys([*names, *(str(name) for run in runs for name in run.params)]))


def load_sweep(sweep_dir: Path) -> LoadedSweep:
    """Reads a sweep, as far as its files can be read.

    Raises:
        RecordError: the directory has neither a sweep record nor a run.
    """
    runs = tuple(read_runs(sweep_dir))
    sweep, problems = _sweep_record(sweep_dir, runs)
    names, more = _names(sweep_dir, runs)
    table = job_table(runs, names, sweep_dir=sweep_dir, replicate=sweep.replicate)
    return LoadedSweep(
        dir=sweep_dir,
        sweep=sweep,
        runs=runs,
        table=table,
        summary_table=summary_columns(table),
        axes=axes_of(table),
        problems=(*problems, *more, *_damaged_runs(runs)),
    )


def _sweep_record(sweep_dir: Path, runs: Sequence[RunRecord]) -> tuple[SweepRecord, list[str]]:
    """The record; where it cannot be read but runs are there, one that says only what they do."""
    try:
        return read_sweep(sweep_dir), []
    except RecordError as error:
        if not runs:
            raise
        stand_in = SweepRecord(
            sweep_id=sweep_dir.name,
            experiment=sweep_dir.parent.name,
            state=SweepState.LOST,
            command=(),
            cwd="",
            overrides=(),
            launcher="unknown",
            created_at=min((run.attempts[0].started_at for run in runs if run.attempts), default=""),
            provenance=next((run.provenance for run in runs if run.provenance), {}),
        )
        return stand_in, [f"{error.path.name} cannot be read ({error.problem}); what is said of the sweep is guessed"]


def _names(sweep_dir: Path, runs: Sequence[RunRecord]) -> tuple[list[str], list[str]]:
    """The swept names: the plan's, and without a plan those that any run has, in the order in which they come."""
    problems = []
    try:
        plan = read_plan(sweep_dir)
        if plan:
            return [name for name in plan[0].values if isinstance(name, str)], []
    except RecordError as error:
        problems = [f"{error.path.name} cannot be read ({error.problem}); jobs that left no record are not counted"]
    return list(dict.fromkeys(str(name) for run in runs for name in run.params)), problems


def _damaged_runs(runs: Sequence[RunRecord]) -> list[str]:
    """Says which jobs left a record that cannot be read."""
    damaged = [str(run.job) for run in runs if is_damaged(run)]
    if not damaged:
        return []
    jobs = ", ".join(damaged[:10]) + (f" and {len(damaged) - 10} more" if len(damaged) > 10 else "")
    return [f"run.json cannot be read for job {jobs}: counted as PENDING (runyard resume runs them again)"]
