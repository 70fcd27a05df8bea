"""How rows go into the registry's tables and come out. Their form is in ``migrations``."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runyard.base import RecordError
from runyard.record import RunRecord, read_runs
from runyard.registry.rows import RUN_COLUMNS, SWEEP_COLUMNS, read_sweep_row, run_row, stored_path
from runyard.registry.signature import signature_of
from runyard.registry.walk import stamp_of

#: the kinds of names in the table ``names``, and the column of a run whose keys they are.
NAMED = ("params", "metrics")


@dataclass(frozen=True, slots=True)
class SweepRows:
    """What is to be written of one sweep. ``is_all`` tells whether these are all its runs."""

    sweep: dict[str, Any]
    runs: list[dict[str, Any]]
    is_all: bool


def read_rows(root: Path, sweep_dir: Path, runs: Sequence[RunRecord] | None) -> SweepRows:
    """The rows of a sweep; with ``runs`` None, all of them, from the files.

    Raises:
        RecordError: ``sweep.json`` cannot be read, or the path cannot be kept.
        OSError: a file cannot be opened.
    """
    # what tells of changes is taken before the files are read: what is too old only makes the next one look
    stamp = stamp_of(sweep_dir)
    signature = signature_of(sweep_dir) if runs is None else None
    path = stored_path(root, sweep_dir)
    if _is_no_text(path):
        raise RecordError(sweep_dir, "the registry holds no path that is not UTF-8")
    row = read_sweep_row(sweep_dir) | {"path": path, "stamp": stamp, "signature": signature}
    read = read_runs(sweep_dir) if runs is None else runs
    place = Path(os.path.abspath(sweep_dir))
    return SweepRows(sweep=row, runs=[run_row(run, place) for run in read], is_all=runs is None)


def write_rows(db: sqlite3.Connection, rows: SweepRows) -> None:
    """Writes a sweep's row and those of its runs; runs that it no longer has are taken out if ``is_all``."""
    columns = {"path": None, "stamp": None, "signature": None, **SWEEP_COLUMNS}
    _upsert(db, "sweeps", columns, [rows.sweep], key=("path",))
    number = db.execute("SELECT number FROM sweeps WHERE path = ?", (rows.sweep["path"],)).fetchone()[0]
    if rows.is_all:
        db.execute("DELETE FROM runs WHERE sweep = ?", (number,))
        db.execute("DELETE FROM names WHERE sweep = ?", (number,))
    runs = [{"sweep": number, **run} for run in rows.runs]
    _upsert(db, "runs", {"sweep": None, **RUN_COLUMNS}, runs, key=("sweep", "job"))
    names = {(number, kind, name) for run in rows.runs for kind in NAMED for name in run[kind]}
    db.executemany("INSERT OR IGNORE INTO names (sweep, kind, name) VALUES (?, ?, ?)", sorted(names))


def _upsert(
    db: sqlite3.Connection,
    table: str,
    columns: Mapping[str, str | None],
    rows: Sequence[Mapping[str, Any]],
    key: Sequence[str],
) -> None:
    names = list(columns)
    changes = ", ".join(f"{n} = excluded.{n}" for n in names if n not in key)
    statement = (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
    )
    db.executemany(statement, ([_encoded(row[n], columns[n]) for n in names] for row in rows))


def _encoded(value: Any, kind: str | None) -> Any:
    if kind == "json" or not (value is None or isinstance(value, (str, int, float))):
        return json.dumps(value, allow_nan=False)  # also a text that someone has made a list of in sweep.json
    return value


def decoded(row: sqlite3.Row, columns: Mapping[str, str]) -> dict[str, Any]:
    """A row as it went in."""
    values = dict(row)
    for name, kind in columns.items():
        if kind == "json":
            values[name] = json.loads(values[name])
        elif kind == "bool" and values[name] is not None:
            values[name] = bool(values[name])
    return values


def _is_no_text(path: str) -> bool:
    """Whether a path has bytes that are no UTF-8: Python gives them as lone surrogates."""
    return any("\ud800" <= character <= "\udfff" for character in path)
