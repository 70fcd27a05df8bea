"""The tables of the registry in SQLite: their form, and how rows go in and come out."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runyard.registry.rows import RUN_COLUMNS, SWEEP_COLUMNS

_KINDS = {"text": "TEXT", "json": "TEXT", "bool": "INTEGER", "integer": "INTEGER", "real": "REAL"}
_SWEEPS = ", ".join(f"{name} {_KINDS[kind]}" for name, kind in SWEEP_COLUMNS.items())
_RUNS = ", ".join(f"{name} {_KINDS[kind]}" for name, kind in RUN_COLUMNS.items())
#: statements that make the tables, in the place of those that may be there.
TABLES = (
    "DROP TABLE IF EXISTS runs",
    "DROP TABLE IF EXISTS sweeps",
    f"CREATE TABLE sweeps (number INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, stamp TEXT, {_SWEEPS})",
    f"CREATE TABLE runs (sweep INTEGER NOT NULL REFERENCES sweeps ON DELETE CASCADE, {_RUNS}, "
    "PRIMARY KEY (sweep, job)) WITHOUT ROWID",
    "CREATE INDEX runs_by_key ON runs (run_key)",
)


@dataclass(frozen=True, slots=True)
class SweepRows:
    """What is to be written of one sweep."""

    sweep: dict[str, Any]
    runs: list[dict[str, Any]]


def write_rows(db: sqlite3.Connection, rows: SweepRows, *, replace_runs: bool) -> None:
    """Writes a sweep's row and those of runs; with ``replace_runs`` these are all it has."""
    _upsert(db, "sweeps", {"path": None, "stamp": None, **SWEEP_COLUMNS}, [rows.sweep], key=("path",))
    number = db.execute("SELECT number FROM sweeps WHERE path = ?", (rows.sweep["path"],)).fetchone()[0]
    if replace_runs:
        db.execute("DELETE FROM runs WHERE sweep = ?", (number,))
    runs = [{"sweep": number, **run} for run in rows.runs]
    _upsert(db, "runs", {"sweep": None, **RUN_COLUMNS}, runs, key=("sweep", "job"))


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
    db.executemany(statement, [[_encoded(row[n], columns[n]) for n in names] for row in rows])


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
