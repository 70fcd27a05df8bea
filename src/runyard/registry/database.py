"""The registry: an SQLite database over the sweeps and runs of one root. Never the truth; made again from files.

Journal mode DELETE, not WAL: WAL keeps its index in memory that the processes of one machine share, so it fails on
network file systems, where clusters keep their results. A rollback journal needs locks only, and after ``kill -9``
the next process to open the database undoes what was half done. Every call opens and closes its own connection:
a controller forks, and SQLite's connections must not be carried over a fork.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Any

from runyard.base import RecordError
from runyard.record import RootPaths, RunRecord, read_runs
from runyard.registry.index import root_lock
from runyard.registry.rows import (
    RUN_COLUMNS,
    SWEEP_COLUMNS,
    absolute_path,
    newest_first,
    read_sweep_row,
    run_row,
    stored_path,
)
from runyard.registry.tables import TABLES, SweepRows, decoded, write_rows
from runyard.registry.walk import all_sweep_dirs, stamp_of

#: number of the tables' form. ``PRAGMA user_version`` holds it, or its negative while rows may be missing.
VERSION = 1
_BUSY_S = 10.0
_BATCH = 2000  # rows


class Condition(str, Enum):
    """How the registry of a root is found. All but WHOLE call for ``reindex``."""

    WHOLE = "whole"
    MISSING = "missing"
    PARTIAL = "not complete"
    OTHER_VERSION = "of another version"
    DAMAGED = "damaged"


class Registry:
    """The registry of one root.

    Raises:
        RecordError: from every method: the database cannot be opened, or was busy for longer than the limit.
            Nothing is lost then; whoever is at work on a sweep goes on without it.
    """

    def __init__(self, root: Path, *, busy_s: float = _BUSY_S) -> None:
        self._root = root
        self._path = RootPaths(root).registry
        self._busy_s = busy_s

    def condition(self) -> Condition:
        """Whether the registry can be relied upon. Changes nothing."""
        if not self._path.is_file():
            return Condition.MISSING
        try:
            with self._open() as db:
                version = db.execute("PRAGMA user_version").fetchone()[0]
                tables = {row["name"] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        except RecordError as exc:
            if _is_damage(exc.__cause__):
                return Condition.DAMAGED
            raise
        if not {"sweeps", "runs"} <= tables:
            return Condition.OTHER_VERSION
        return {VERSION: Condition.WHOLE, -VERSION: Condition.PARTIAL}.get(version, Condition.OTHER_VERSION)

    def put(self, sweep_dir: Path, runs: Sequence[RunRecord] | None = None) -> None:
        """Brings the rows of one sweep up to its files, in one transaction.

        Args:
            sweep_dir: the sweep, inside or outside the root.
            runs: only these runs have changed since the last call; None reads them all from the files.

        Raises:
            RecordError: also when ``sweep.json`` cannot be read.
        """
        rows = self._read(sweep_dir, runs)
        self._ensure_tables(only=sweep_dir)
        with self._change() as db:
            write_rows(db, rows, replace_runs=runs is None)

    def rows(self) -> list[dict[str, Any]]:
        """The sweeps, newest first: keys as in ``sweep_row``, and ``stamp``. Empty when there is no registry."""
        if not self._path.is_file():
            return []
        with self._open() as db:
            found = [decoded(row, SWEEP_COLUMNS) for row in db.execute("SELECT * FROM sweeps")]
        for row in found:
            row["path"] = str(absolute_path(self._root, row["path"]))
            del row["number"]
        return newest_first(found)

    def runs(self, sweep_id: str, *, limit: int | None = None) -> list[dict[str, Any]]:
        """The runs of a sweep by job: keys as in ``run_row``; the first ``limit`` of them, None for all."""
        if not self._path.is_file():
            return []
        with self._open() as db:
            query = "SELECT * FROM runs WHERE sweep_id = ? ORDER BY sweep, job LIMIT ?"
            found = db.execute(query, (sweep_id, -1 if limit is None else limit))
            return [{k: v for k, v in decoded(row, RUN_COLUMNS).items() if k != "sweep"} for row in found]

    def runs_with_keys(self, keys: Collection[str]) -> dict[str, list[dict[str, Any]]]:
        """Runs by run key, the newest sweep's first: as in ``runs``, with ``run_dir`` and ``sweep_dir`` absolute."""
        found: dict[str, list[dict[str, Any]]] = {}
        if not keys or not self._path.is_file():
            return found
        marks = ", ".join("?" * len(keys))
        query = (
            f"SELECT path, created_at, runs.* FROM runs JOIN sweeps ON number = sweep WHERE run_key IN ({marks}) "
            "ORDER BY created_at DESC, job"
        )
        with self._open() as db:
            for row in db.execute(query, tuple(keys)):
                values = {k: v for k, v in decoded(row, RUN_COLUMNS).items() if k not in ("sweep", "path")}
                sweep_dir = absolute_path(self._root, row["path"])
                values |= {"sweep_dir": str(sweep_dir), "run_dir": os.path.abspath(sweep_dir / values["run_dir"])}
                found.setdefault(values["run_key"], []).append(values)
        return found

    def run_counts(self) -> dict[str, dict[str, int]]:
        """How many runs are in which state, by the path of their sweep as in ``rows``."""
        counts: dict[str, dict[str, int]] = {}
        query = "SELECT path, runs.state AS state, COUNT(*) AS n FROM runs JOIN sweeps ON number = sweep GROUP BY 1, 2"
        with self._open() as db:
            for row in db.execute(query):
                counts.setdefault(str(absolute_path(self._root, row["path"])), {})[row["state"]] = row["n"]
        return counts

    def reindex(self) -> int:
        """Makes the registry equal to the files; returns the number of sweeps.

        Takes in every sweep below the root, and those elsewhere that index.csv or the registry name. Sweeps that
        cannot be read are left out (see ``unreadable_sweeps``). Some sweeps at a time, so that controllers at
        work can write in between; killed half-way, it is known to be not complete.
        """
        if self.condition() in (Condition.MISSING, Condition.OTHER_VERSION, Condition.DAMAGED):
            self._recreate()
        with self._change() as db:
            db.execute(f"PRAGMA user_version = {-VERSION}")
        before = [Path(row["path"]) for row in self.rows()]
        kept = set()
        for batch in self._batches(all_sweep_dirs(self._root, before)):
            with self._change() as db:
                for rows in batch:
                    write_rows(db, rows, replace_runs=True)
            kept |= {rows.sweep["path"] for rows in batch}
        with self._change() as db:
            # only what was there before: a sweep that began meanwhile has put itself in
            gone = {stored_path(self._root, path) for path in before} - kept
            db.executemany("DELETE FROM sweeps WHERE path = ?", [(path,) for path in gone])
            db.execute(f"PRAGMA user_version = {VERSION}")
        return len(kept)

    def _read(self, sweep_dir: Path, runs: Sequence[RunRecord] | None) -> SweepRows:
        stamp = stamp_of(sweep_dir)  # before the file is read: a stamp that is too old only makes a reader look
        path = stored_path(self._root, sweep_dir)
        if _is_no_text(path):
            raise RecordError(sweep_dir, "the registry holds no path that is not UTF-8")
        row = read_sweep_row(sweep_dir) | {"path": path, "stamp": stamp}
        read = read_runs(sweep_dir) if runs is None else runs
        return SweepRows(sweep=row, runs=[run_row(run, sweep_dir) for run in read])

    def _batches(self, sweep_dirs: Sequence[Path]) -> Iterator[list[SweepRows]]:
        """Rows of the sweeps that can be read, in lists that make a transaction of a fraction of a second."""
        batch: list[SweepRows] = []
        for sweep_dir in sweep_dirs:
            with suppress(RecordError, OSError):
                batch.append(self._read(sweep_dir, None))
            if sum(1 + len(rows.runs) for rows in batch) >= _BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def remove(self, sweep_id: str) -> None:
        """Takes a sweep and its runs out; its files stay, and ``reindex`` would bring it back."""
        if self._path.is_file():
            with self._change() as db:
                db.execute("DELETE FROM sweeps WHERE sweep_id = ?", (sweep_id,))

    def _ensure_tables(self, only: Path) -> None:
        """Makes the tables where there are none that can be used.

        The new registry counts as whole if ``only`` is the one sweep there is; reading all the others here
        would keep a controller from its jobs.
        """
        if self.condition() in (Condition.WHOLE, Condition.PARTIAL):
            return
        self._recreate()
        if all_sweep_dirs(self._root, []) in ([], [Path(os.path.abspath(only))]):
            with self._change() as db:
                db.execute(f"PRAGMA user_version = {VERSION}")

    def _recreate(self) -> None:
        with root_lock(self._root):
            condition = self.condition()
            if condition in (Condition.WHOLE, Condition.PARTIAL):
                return  # another process was faster
            if condition is Condition.DAMAGED:
                for path in (self._path, Path(f"{self._path}-journal")):
                    path.unlink(missing_ok=True)
            with self._change() as db:
                for statement in TABLES:
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {-VERSION}")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection; SQLite's errors leave as RecordError."""
        try:
            with closing(sqlite3.connect(self._path, timeout=self._busy_s, isolation_level=None)) as db:
                db.row_factory = sqlite3.Row
                db.execute("PRAGMA foreign_keys = ON")
                yield db
        except sqlite3.Error as exc:
            raise RecordError(self._path, f"the registry cannot be used ({exc})") from exc

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing."""
        with self._open() as db:
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")


def _is_damage(error: BaseException | None) -> bool:
    """Whether SQLite says that the file is no database or a broken one (its class has no subclass for that)."""
    return type(error) is sqlite3.DatabaseError


def _is_no_text(path: str) -> bool:
    """Whether a path has bytes that are no UTF-8: Python gives them as lone surrogates."""
    return any("\ud800" <= character <= "\udfff" for character in path)
