"""The registry of one root, open to be asked: which runs fit a condition, and what they hold."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from runyard.base import RecordError, from_finite_json
from runyard.record import RootPaths
from runyard.registry.database import Registry
from runyard.registry.expression import Expression, Known, Name, holds
from runyard.registry.migrations import migrate
from runyard.registry.rows import absolute_path
from runyard.registry.sql import COLUMNS, Filter, filter_of, value_sql
from runyard.registry.tables import read_rows, write_rows
from runyard.registry.walk import all_sweep_dirs

_FROM = "FROM runs r JOIN sweeps s ON s.number = r.sweep"
#: what is told of a run besides its parameters, metrics and folder, in this order.
TOLD = tuple(COLUMNS)
_FIELDS = ", ".join(COLUMNS.values())
_ROW = f"r.sweep, r.job, r.params, r.metrics, r.run_dir, {_FIELDS}"
_BEFORE_TOLD = 5
_SIGNS = "+~"  # of overrides: what stands as ``+lr`` in a run is called ``lr`` here
_MANY = 100  # jobs of a sweep that are sooner read with all the others than by number


class Hit(NamedTuple):
    """A run that fits: the number of its sweep in its registry, its own, and what it is to be ordered by."""

    sweep: int
    job: int
    value: Any = None


@dataclass(slots=True)
class Place:
    """A root and its registry."""

    root: Path
    db: sqlite3.Connection
    #: by the names without an override's signs, the keys under which a parameter stands.
    keys: Mapping[str, Collection[str]] = field(default_factory=dict)
    metrics: Collection[str] = ()
    #: what orders sweeps, by number: when they were made, their id, their path.
    sweeps: Mapping[int, tuple[str, str, str]] = field(default_factory=dict)

    def look(self) -> None:
        """Reads which names and sweeps there are."""
        keys: dict[str, list[str]] = {}
        metrics = []
        for kind, name in self.db.execute("SELECT DISTINCT kind, name FROM names ORDER BY kind, name"):
            if kind == "params":
                keys.setdefault(name.lstrip(_SIGNS), []).append(name)
            else:
                metrics.append(name)
        self.keys, self.metrics = keys, metrics
        sweeps = self.db.execute("SELECT number, created_at, sweep_id, path FROM sweeps")
        self.sweeps = {number: (str(made), str(name), path) for number, made, name, path in sweeps}

    def hits(self, expression: Expression | None, order: Name | None) -> list[Hit]:
        """The runs that fit, by sweep and number."""
        chosen = filter_of(expression, self.keys)
        said = (("NULL", []) if order is None else value_sql(order, self.keys)) or ("NULL", [])
        if chosen.rest or (order is not None and said[0] == "NULL"):
            rows = self._rows(chosen)
            keep, runs = self._kept(expression, chosen, rows)
            values = (runs.value(n, order) if order is not None else None for n in keep)
            return [Hit(rows[n][0], rows[n][1], value) for n, value in zip(keep, values, strict=True)]
        sql = f"SELECT r.sweep, r.job, {said[0]} {_FROM} WHERE {chosen.sql} ORDER BY r.sweep, r.job"
        return [Hit._make(row) for row in self.db.execute(sql, (*said[1], *chosen.parameters)).fetchall()]

    def rows(self, expression: Expression | None) -> list[tuple[Any, ...]]:
        """The runs that fit, by sweep and number: sweep, job, params, metrics, run_dir, and ``TOLD``; JSON as text."""
        chosen = filter_of(expression, self.keys)
        rows = self._rows(chosen)
        return [rows[n] for n in self._kept(expression, chosen, rows)[0]] if chosen.rest else rows

    def _rows(self, chosen: Filter) -> list[tuple[Any, ...]]:
        sql = f"SELECT {_ROW} {_FROM} WHERE {chosen.sql} ORDER BY r.sweep, r.job"
        return self.db.execute(sql, chosen.parameters).fetchall()

    def _kept(
        self, expression: Expression | None, chosen: Filter, rows: Sequence[tuple[Any, ...]]
    ) -> tuple[list[int], Values]:
        """Which of the rows pass what SQL could not say, and what they hold."""
        runs = Values(rows, self.keys)
        names = expression.names.items() if expression is not None else ()
        kept = []
        for n in range(len(rows)):
            values = {slot: runs.value(n, name) for slot, name in names}
            if all(holds(node, values) for node in chosen.rest):
                kept.append(n)
        return kept, runs

    def rows_of(self, sweep: int, jobs: Sequence[int]) -> list[tuple[Any, ...]]:
        """Some runs of a sweep, as in ``rows``."""
        sql = f"SELECT {_ROW} {_FROM} WHERE r.sweep = ?"
        if len(jobs) <= _MANY:
            sql += f" AND r.job IN ({', '.join(map(str, jobs))})"
            return self.db.execute(f"{sql} ORDER BY r.job", (sweep,)).fetchall()
        wanted = set(jobs)
        return [row for row in self.db.execute(f"{sql} ORDER BY r.job", (sweep,)).fetchall() if row[1] in wanted]

    def sweep_dir(self, sweep: int) -> Path:
        """Where a sweep lies."""
        return absolute_path(self.root, self.sweeps[sweep][2])


class Values:
    """What runs hold for the names in an expression."""

    def __init__(self, rows: Sequence[tuple[Any, ...]], keys: Mapping[str, Collection[str]]) -> None:
        self._rows, self._keys = rows, keys
        self._params, self._metrics = parsed([row[2] for row in rows]), parsed([row[3] for row in rows])

    def value(self, n: int, name: Name) -> Any:
        """What the run in a row holds; None for nothing."""
        if name.kind == "field":
            value = self._rows[n][_BEFORE_TOLD + TOLD.index(name.name)]
            return json.loads(value) if name.name == "tags" else value
        if name.kind == "metrics":
            value = self._metrics[n].get(name.name)
            return from_finite_json({"": value})[""] if isinstance(value, str) else value
        params = self._params[n]
        keys = sorted(self._keys.get(name.name, ())) or [name.name]
        return next((params[key] for key in keys if params.get(key) is not None), None)


def parsed(texts: Sequence[str]) -> list[Any]:
    """The values of JSON texts: one text for all, since a call for each takes several times as long."""
    found: list[Any] = json.loads(f"[{','.join(texts)}]")
    return found


@contextmanager
def asking(roots: Sequence[Path]) -> Iterator[list[Place]]:
    """Opens the registries of those roots that exist, after a glance at what has changed since.

    A root without a registry is left as it is, and one that cannot be written too: the files are read instead.
    """
    opened: list[Place] = []
    try:
        for root in roots:
            if root.is_dir():
                opened.append(Place(root, _connection(root)))
                opened[-1].look()
        yield opened
    finally:
        for place in opened:
            place.db.close()


def known_names(places: Sequence[Place]) -> Known:
    """The names that can be asked for."""
    return Known(
        params=frozenset(name for place in places for name in place.keys),
        metrics=frozenset(name for place in places for name in place.metrics),
    )


def _connection(root: Path) -> sqlite3.Connection:
    path = RootPaths(root).registry
    if path.parent.is_dir():
        try:
            Registry(root).catch_up()
            return sqlite3.connect(path, timeout=10.0, isolation_level=None)
        except (RecordError, OSError, sqlite3.Error):
            pass  # it is derived: what follows gives the same answer, only later
    return _from_files(root)


def _from_files(root: Path) -> sqlite3.Connection:
    """A registry in memory."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db, 0)
    db.execute("BEGIN")
    for sweep_dir in all_sweep_dirs(root, []):
        with suppress(RecordError, OSError):
            write_rows(db, read_rows(root, sweep_dir, None))
    db.execute("COMMIT")
    return db
