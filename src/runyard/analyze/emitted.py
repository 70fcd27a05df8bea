"""Emitted rows: the tables of all jobs, as DataFrames. Reads the jobs' own files, also while they run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from runyard.analyze.jobtable import JobTable, leading_columns, to_frame
from runyard.record import RunRecord, read_rows, table_files

Sources = dict[str, list[tuple[int, Path]]]


def emitted_tables(runs: Sequence[RunRecord]) -> Sources:
    """The files of each table by its name, each with the position of its job."""
    found: Sources = {}
    for position, run in enumerate(runs):
        for path in table_files(Path(run.run_dir)):
            found.setdefault(path.stem, []).append((position, path))
    return found


def emitted_rows(table: JobTable, name: str, sources: Sequence[tuple[int, Path]]) -> pd.DataFrame:
    """The rows of a table, each with its job, state and swept values first; lines that cannot be read are left out.

    Args:
        table: the jobs.
        name: the table; stands before columns of the rows whose name is taken.
        sources: its files, each with the position of its job in ``table``.
    """
    first = leading_columns(table)
    rows, positions = [], []
    for position, path in sources:
        for row in read_rows(path):
            rows.append({key if key not in first else f"{name}.{key}": value for key, value in row.items()})
            positions.append(position)
    jobs = to_frame({column: table.columns[column] for column in first})
    return pd.concat([jobs.iloc[positions].reset_index(drop=True), pd.DataFrame(rows)], axis="columns")
