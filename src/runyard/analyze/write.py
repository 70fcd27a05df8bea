"""Writes what a sweep's results are read from: results.csv, results.parquet, tables/, summary.csv."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from runyard.analyze.load import LoadedSweep, load_sweep
from runyard.analyze.parquet import write_parquet
from runyard.analyze.tables import write_columns, write_tables
from runyard.record import SweepPaths


def write_results(sweep_dir: Path, *, loaded: LoadedSweep | None = None) -> list[str]:
    """Writes ``results.csv``, ``results.parquet``, ``tables/<name>.csv`` and ``summary.csv``, each in one step.

    A piece that cannot be made does not keep the others from being made.

    Args:
        sweep_dir: the sweep.
        loaded: what ``load_sweep`` gave for it, when the caller has that already.

    Returns:
        A sentence for everything that could not be read or made; empty when all is well.

    Raises:
        RecordError: the directory has neither a sweep record nor a run.
    """
    sweep = loaded or load_sweep(sweep_dir)
    paths, columns = SweepPaths(sweep_dir), sweep.table.columns
    return [
        *sweep.problems,
        *attempt(paths.results_csv.name, lambda: write_columns(paths.results_csv, columns)),
        *attempt(paths.results_parquet.name, lambda: write_parquet(paths.results_parquet, columns)),
        *attempt(paths.summary_csv.name, lambda: write_columns(paths.summary_csv, sweep.summary_table | sweep.mixed)),
        *attempt(paths.tables.name, lambda: write_tables(paths.tables, sweep.table, sweep.runs)),
    ]


def attempt(what: str, make: Callable[[], Iterable[str] | None]) -> list[str]:
    """Makes one piece of a sweep's end.

    Returns:
        The sentences that ``make`` returned; when it raised, one that names the piece and the error.
    """
    try:
        return list(make() or ())
    except Exception as error:  # the end of a sweep is a border: one piece must not take the others along
        return [f"{what} was not made: {type(error).__name__}: {error}"]
