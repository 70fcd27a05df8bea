"""Connections to the registry's file, for reading and for changing; where SQLite's errors become ours.

Journal mode DELETE on every file system, never WAL. WAL keeps its index in memory that the processes of one machine
share: on a network file system it fails or corrupts, and a folder that is local to one machine may be served to others
by it, which no look at the file system's name can tell. A rollback journal needs locks only, and after ``kill -9``
the next process to open the file undoes what was half done. What WAL would be good for, writers that do not wait
for each other, is not wanted here: the root's lock lets one write at a time, for a fraction of a second.

Every call opens and closes its own connection: a controller forks, and SQLite's connections must not be carried
over a fork.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from runyard.base import RecordError

#: KiB of changed pages that are kept in memory: with less, SQLite shuts readers out long before a transaction ends.
_CACHE_KIB = 200_000


@contextmanager
def reading(path: Path, busy_s: float) -> Iterator[sqlite3.Connection]:
    """A connection to look with.

    Raises:
        RecordError: the file is no database, cannot be opened, or was busy for ``busy_s`` seconds.
    """
    try:
        with closing(sqlite3.connect(path, timeout=busy_s, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA foreign_keys = ON")
            yield db
    except sqlite3.Error as exc:
        raise RecordError(path, _problem(exc, busy_s)) from exc


@contextmanager
def changing(path: Path, busy_s: float) -> Iterator[sqlite3.Connection]:
    """One transaction, all of it or nothing; for whoever holds the root's lock. Raises as ``reading``."""
    with reading(path, busy_s) as db:
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        if db.execute("PRAGMA journal_mode").fetchone()[0] == "wal":  # somebody's tool has set it, and it stays set
            db.execute("PRAGMA journal_mode = DELETE")
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # what went wrong is told, not that nothing was left to undo
                db.execute("ROLLBACK")
            raise


def is_damage(error: BaseException | None) -> bool:
    """Whether SQLite says that the file is no database or a broken one (its class has no subclass for that)."""
    return type(error) is sqlite3.DatabaseError


def _problem(error: sqlite3.Error, busy_s: float) -> str:
    """SQLite's words; its "database is locked" as what it means."""
    if isinstance(error, sqlite3.OperationalError) and str(error).startswith("database is locked"):
        return f"the registry was in use by other processes for {busy_s:g} s"
    return f"the registry cannot be used ({error})"
