"""The job table: a row per job, as columns of cells, and as a DataFrame. Reads no file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from runyard.analyze.cells import Cell, Columns, kind_of, metric_cell, param_cell
from runyard.record import RunRecord

FIRST_COLUMNS = ("job", "state")
LAST_COLUMNS = ("seconds", "attempts", "run_key", "git_sha", "run_dir")
_OWN = frozenset((*FIRST_COLUMNS, *LAST_COLUMNS))
_SHORT_SHA = 7
_INT64 = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTable:
    """A row per job in the order of their numbers, as columns.

    ``names`` are the columns of swept values and ``metrics`` those of metrics, in their order. A column is named
    after the override or the metric; only a swept name that is also one of the table's own columns becomes
    ``params.<name>``, and a metric whose name is taken ``metrics.<name>``. ``replicate`` is the column of the swept
    name that only repeats, whatever it is called.
    """

    columns: Columns
    names: tuple[str, ...]
    metrics: tuple[str, ...]
    replicate: str | None = None

    def is_seed(self, name: str) -> bool:
        """Whether a column only repeats: its last dotted part is ``seed``, or the sweep has said so."""
        return name == self.replicate or name.lstrip("+").rpartition(".")[2] == "seed"

    def __len__(self) -> int:
        return len(self.columns["job"])


def job_table(
    runs: Sequence[RunRecord], names: Sequence[str], *, sweep_dir: Path | None = None, replicate: str | None = None
) -> JobTable:
    """The table of ``runs``.

    Args:
        runs: the jobs, in order.
        names: the swept names as they are written in the overrides, in the plan's order.
        sweep_dir: ``run_dir`` is given relative to it where it lies below; None leaves it as it is.
        replicate: the swept name that only repeats.
    """
    reported = list(dict.fromkeys(str(name) for run in runs for name in run.metrics))
    params = _distinct(names, _OWN, "params.")
    metrics = _distinct(reported, {*_OWN, *params.values()}, "metrics.")
    columns: Columns = {"job": [run.job for run in runs], "state": [run.state.value for run in runs]}
    for name, column in params.items():
        columns[column] = [param_cell(run.params[name]) if name in run.params else None for run in runs]
    for name, column in metrics.items():
        columns[column] = [metric_cell(run.metrics.get(name)) for run in runs]
    columns["seconds"] = [metric_cell(run.seconds) for run in runs]
    columns["attempts"] = [len(run.attempts) for run in runs]
    columns["run_key"] = [run.run_key or None for run in runs]
    columns["git_sha"] = [_short_sha(run.provenance) for run in runs]
    columns["run_dir"] = [_relative(run.run_dir, sweep_dir) for run in runs]
    return JobTable(
        columns=columns,
        names=tuple(params.values()),
        metrics=tuple(metrics.values()),
        replicate=params.get(replicate) if replicate is not None else None,
    )


def results_frame(runs: Sequence[RunRecord], names: Sequence[str], *, sweep_dir: Path | None = None) -> pd.DataFrame:
    """The results of a sweep.

    Returns:
        DataFrame: one row per job in the order of their numbers; columns ``job, state``, the swept names, the
        metrics in the order in which jobs report them, then ``seconds, attempts, run_key, git_sha, run_dir``
        (see ``JobTable`` for names that collide, and ``to_frame`` for types).
    """
    return to_frame(job_table(runs, names, sweep_dir=sweep_dir).columns)


def to_frame(columns: Columns) -> pd.DataFrame:
    """A DataFrame of columns of cells.

    Whole numbers are ``int64`` (``Int64`` when cells are empty), truth values ``bool`` (``boolean``), text and
    mixed columns ``object`` with None. Other numbers are ``float64``, in which an empty cell and a reported NaN
    are alike; the cells and results.csv tell them apart.
    """
    return pd.DataFrame({name: _series(cells) for name, cells in columns.items()})


def _series(cells: list[Cell]) -> pd.Series[Any]:
    kind = kind_of(cells)
    whole = None not in cells
    if kind == "bool":
        return pd.Series(cells, dtype="bool" if whole else "boolean")
    if kind == "int" and fits_int64(cells):
        return pd.Series(cells, dtype="int64" if whole else "Int64")
    if kind in ("int", "float", "empty"):
        return pd.Series(numbers(cells), dtype="float64")
    return pd.Series(cells, dtype="object")


def leading_columns(table: JobTable) -> list[str]:
    """The columns that say which job it is: all but the metrics and LAST_COLUMNS."""
    return [name for name in table.columns if name not in (*table.metrics, *LAST_COLUMNS)]


def numbers(cells: Iterable[Cell]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Cells of numbers as floats; an empty cell, or a whole number too large for a float, is NaN or infinite."""
    return np.fromiter((_number(cell) for cell in cells), dtype=np.float64)


def _number(cell: Cell) -> float:
    if cell is None or isinstance(cell, str):
        return float("nan")
    try:
        return float(cell)
    except OverflowError:
        return float("inf") if cell > 0 else float("-inf")


def fits_int64(cells: Iterable[Cell]) -> bool:
    """Whether every whole number among the cells has room in 64 bits."""
    return all(-_INT64 <= cell < _INT64 for cell in cells if isinstance(cell, int))


def _distinct(names: Iterable[str], taken: Iterable[str], prefix: str) -> dict[str, str]:
    """A column for each name: the name, with the prefix where it is taken."""
    wanted = list(dict.fromkeys(names))
    used = {*taken}
    free = {name for name in wanted if name not in used}
    columns: dict[str, str] = {}
    for name in wanted:
        column = name
        while column in used or (column != name and column in free):
            column = prefix + column
        used.add(column)
        columns[name] = column
    return columns


def _short_sha(provenance: Mapping[str, Any]) -> str | None:
    git = provenance.get("git") if isinstance(provenance, Mapping) else None
    sha = git.get("sha") if isinstance(git, Mapping) else None
    return str(sha)[:_SHORT_SHA] if sha else None


def _relative(run_dir: str, sweep_dir: Path | None) -> str:
    if sweep_dir is None:
        return run_dir
    relative = Path(os.path.relpath(run_dir, sweep_dir)).as_posix()
    return run_dir if relative.startswith("..") else relative
