"""The rows that jobs emitted, gathered into one CSV file per table. Streams: holds one row at a time."""

from __future__ import annotations

import contextlib
import csv
import itertools
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from runyard.analyze.cells import Columns, cell_text
from runyard.analyze.jobtable import JobTable
from runyard.record import RunRecord, read_rows, table_files

_AS_IT_IS = frozenset({int, float, str})


def write_columns(path: Path, columns: Columns) -> None:
    """Writes columns of cells as CSV; see ``cell_text`` for the form of each cell."""
    with _whole_file(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([cell_text(cell) for cell in row] for row in zip(*columns.values(), strict=True))


def write_tables(folder: Path, table: JobTable, runs: Sequence[RunRecord]) -> list[str]:
    """Writes ``<folder>/<name>.csv`` for each table that any job has rows in.

    A row has its job's number and state and the swept values first, then the union of all rows' columns in the
    order in which they come. A column of the rows whose name is one of the first becomes ``<table>.<column>``.
    Rows of every job count, whatever became of it: the state says. Lines that cannot be read are left out.

    Args:
        folder: made when there is a table.
        table: the job table of ``runs``.
        runs: the jobs, in order.

    Returns:
        A sentence for each table that could not be written.
    """
    files: dict[str, list[tuple[int, Path]]] = {}
    for position, run in enumerate(runs):
        for path in table_files(Path(run.run_dir)):
            files.setdefault(path.stem, []).append((position, path))
    problems = []
    for name, sources in files.items():
        try:
            folder.mkdir(exist_ok=True)
            _write_table(folder / f"{name}.csv", name, table, sources)
        except OSError as error:
            problems.append(f"tables/{name}.csv was not made: {type(error).__name__}: {error}")
    return problems


def _write_table(path: Path, name: str, table: JobTable, sources: Sequence[tuple[int, Path]]) -> None:
    """Reads every row once when the first row of each file has all columns; else twice more, to know them first."""
    files = [source for _, source in sources]
    keys = _keys(row for source in files for row in itertools.islice(read_rows(source), 1))
    try:
        _write_rows(path, name, table, sources, keys, strict=True)
    except _MoreColumnsError:
        keys = _keys(row for source in files for row in read_rows(source))
        _write_rows(path, name, table, sources, keys, strict=False)


class _MoreColumnsError(Exception):
    """A row has a column that the header has not; the file is given up."""


def _keys(rows: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def _write_rows(
    path: Path, name: str, table: JobTable, sources: Sequence[tuple[int, Path]], keys: Sequence[str], *, strict: bool
) -> None:
    """Writes the file with the columns ``keys``; others, which a job at work may yet add, are an error or left out."""
    first = ("job", "state", *table.names)
    known = frozenset(keys)
    with _whole_file(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*first, *_free_names(keys, first, name)])
        for position, source in sources:
            prefix = [cell_text(table.columns[column][position]) for column in first]
            for row in read_rows(source):
                if strict and not row.keys() <= known:
                    raise _MoreColumnsError
                writer.writerow(prefix + _cells(row, keys))


def _cells(row: dict[str, Any], keys: Sequence[str]) -> list[Any]:
    """Most cells go as they are: a table can have millions, and JSON's numbers are finite."""
    cells = map(row.get, keys)
    return [cell if type(cell) in _AS_IT_IS else cell_text(cell) for cell in cells]


def _free_names(keys: Sequence[str], taken: Sequence[str], table: str) -> list[str]:
    used = {*taken, *keys}
    names = []
    for key in keys:
        name = key
        while name in taken or (name != key and name in used):
            name = f"{table}.{name}"
        used.add(name)
        names.append(name)
    return names


@contextlib.contextmanager
def _whole_file(path: Path) -> Iterator[TextIO]:
    """A file to write row by row, that takes its place when it is whole (``write_text`` wants all of it at once)."""
    temporary = Path(f"{path}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("x", encoding="utf-8", errors="backslashreplace", newline="") as file:
            yield file
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
