"""A pool: the jobs of one sweep or of several in one table, with what is looked at of each run. Reads configs only."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runyard.analyze.axes import role_of
from runyard.analyze.cells import Cell, Columns, cell_text, param_cell
from runyard.analyze.groups import group_index
from runyard.analyze.jobtable import JobTable, job_table
from runyard.analyze.load import LoadedSweep
from runyard.analyze.mixing import mixed_runs, unplanned_seeds
from runyard.analyze.mixture import MixedRun, Mixture, mixtures_among
from runyard.base import State, UsageError, unknown_name
from runyard.record import RunRecord, SweepPaths

_SHORT_KEY = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Jobs in one table, in the order of the sweeps and of their numbers.

    ``table.names`` are the swept names; of several sweeps also ``label``, the column that names the sweep. A name that
    one of them sweeps and another one fixes has the fixed value there.
    """

    sweeps: tuple[LoadedSweep, ...]
    table: JobTable
    runs: tuple[RunRecord, ...]
    label: str | None = None

    @property
    def settings(self) -> list[str]:
        """The swept names that do not only repeat, the sweep's own name first."""
        return [name for name in self.table.names if not self.table.is_seed(name)]

    @property
    def compared(self) -> list[str]:
        """The settings without days, folds and other replicates, over which settings are averaged to be compared."""
        return [n for n in self.table.names if role_of(n, self.table) == "setting"] or self.settings

    def mixed_runs(self) -> list[MixedRun]:
        """What is looked at of each run; of several sweeps the numbers are those of the rows."""
        if self.label is None:
            return list(self.sweeps[0].mixed_runs)
        _, cells = group_index(self.table, [name for name in self.settings if name != self.label])
        found: list[MixedRun] = []
        for sweep in self.sweeps:
            found += mixed_runs(
                sweep.runs, sweep.table, sweep_dir=sweep.dir, swept=self.table.names, config=_config_of(sweep.dir)
            )
        return [
            dataclasses.replace(run, number=n, cell=int(cells[n]), identity=_identity(self.runs[n]))
            for n, run in enumerate(found)
        ]

    def mixtures_among(self, runs: Sequence[MixedRun]) -> tuple[Mixture, ...]:
        """What an average over the runs mixes."""
        if self.label is None:
            return mixtures_among(runs, unplanned_seeds(self.table))
        return mixtures_among(runs, noun="row")

    def column(self, kind: str, name: str, known: Sequence[str]) -> str:
        """The column that is meant: by its whole name, without a leading ``+``, or by its last part where that is one.

        Raises:
            UsageError: none is, or more than one.
        """
        if not known:
            raise UsageError(f"no {kind} {name!r}: there is none at all", todo="'runyard results' shows the jobs")
        if name in known:
            return name
        plain = [column for column in known if column.lstrip("+") == name]
        last = plain or [column for column in known if column.rpartition(".")[2].lstrip("+") == name]
        if len(last) != 1:
            raise unknown_name(kind, name, known)
        return last[0]


def pool_of(sweeps: Sequence[LoadedSweep]) -> Pool:
    """One pool of all sweeps, of which there is at least one."""
    if len(sweeps) == 1:
        return Pool(sweeps=tuple(sweeps), table=sweeps[0].table, runs=sweeps[0].runs)
    names = list(dict.fromkeys(str(name).lstrip("+") for sweep in sweeps for run in sweep.runs for name in run.params))
    runs = [_filled(run, names, config) for sweep in sweeps for config in [_config_of(sweep.dir)] for run in sweep.runs]
    replicate = next((sweep.sweep.replicate for sweep in sweeps if sweep.sweep.replicate), None)
    table = job_table(runs, names, replicate=replicate.lstrip("+") if replicate else None)
    label = _free("sweep", table.columns)
    first: Columns = {
        label: [sweep.sweep.sweep_id for sweep in sweeps for _ in sweep.runs],
        _free("experiment", table.columns): [sweep.sweep.experiment for sweep in sweeps for _ in sweep.runs],
    }
    whole = dataclasses.replace(table, columns=first | table.columns, names=(label, *table.names))
    return Pool(sweeps=tuple(sweeps), table=whole, runs=tuple(runs), label=label)


def _identity(run: RunRecord) -> str | None:
    """What two runs share that are the same run twice; keys that the run key leaves out may tell them apart."""
    if run.state is not State.COMPLETED or not run.run_key:
        return None
    values = " ".join(f"{name}={cell_text(param_cell(value))}" for name, value in sorted(run.params.items()))
    return f"{run.run_key[:_SHORT_KEY]} {values}"


def _free(name: str, taken: Columns) -> str:
    while name in taken:
        name = f"its_{name}"
    return name


def _filled(run: RunRecord, names: Sequence[str], config: Mapping[str, str]) -> RunRecord:
    """The run with a value for each name that its own sweep fixed, by an override or in its config."""
    params: dict[str, Any] = {str(name).lstrip("+"): value for name, value in run.params.items()}
    given = dict(override.lstrip("+").split("=", 1) for override in run.overrides if "=" in override)
    for name in names:
        if name not in params and (value := given.get(name, config.get(name))) is not None:
            params[name] = value
    return dataclasses.replace(run, params=params)


def _config_of(sweep_dir: Path) -> dict[str, str]:
    """The settings that all jobs of a sweep have in common, flat, as cells' text; empty where it left no config."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        config = yaml.load(SweepPaths(sweep_dir).config_yaml.read_text(encoding="utf-8"), loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return {name: cell_text(cell) for name, cell in _flat(config, "") if cell is not None}


def _flat(value: Any, name: str) -> list[tuple[str, Cell]]:
    if isinstance(value, Mapping):
        return [pair for key, below in value.items() for pair in _flat(below, f"{name}.{key}" if name else str(key))]
    return [(name, param_cell(value))] if name else []
