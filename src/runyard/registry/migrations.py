"""The numbered steps that make the registry's tables, and bring those of an earlier version to today's form.

A step is never changed once it was released: databases made by it are on disks. A new form is a new step at the end.
"""

from __future__ import annotations

import sqlite3

#: statements of each step; the step's number is its place, from 1.
STEPS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE sweeps (number INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, stamp TEXT, sweep_id TEXT, "
        "experiment TEXT, state TEXT, counts TEXT, jobs INTEGER, created_at TEXT, finished_at TEXT, launcher TEXT, "
        "command TEXT, cwd TEXT, overrides TEXT, git_sha TEXT, git_branch TEXT, git_dirty INTEGER, host TEXT, "
        "tags TEXT, note TEXT, single INTEGER)",
        "CREATE TABLE runs (sweep INTEGER NOT NULL REFERENCES sweeps ON DELETE CASCADE, sweep_id TEXT, job INTEGER, "
        "state TEXT, run_key TEXT, params TEXT, metrics TEXT, seconds REAL, git_sha TEXT, run_dir TEXT, "
        "PRIMARY KEY (sweep, job)) WITHOUT ROWID",
        "CREATE INDEX runs_by_key ON runs (run_key)",
    ),
    (
        # what tells that none of a sweep's files has changed; NULL: not known, the files are to be read
        "ALTER TABLE sweeps ADD COLUMN signature TEXT",
        # where the last attempt ran
        "ALTER TABLE runs ADD COLUMN host TEXT",
        # which parameters and metrics the runs of a sweep have: to know a name without reading every run
        "CREATE TABLE names (sweep INTEGER NOT NULL REFERENCES sweeps ON DELETE CASCADE, kind TEXT NOT NULL, "
        "name TEXT NOT NULL, PRIMARY KEY (sweep, kind, name)) WITHOUT ROWID",
    ),
)

#: number of today's form. ``PRAGMA user_version`` holds it, or its negative while rows may be missing.
VERSION = len(STEPS)


def migrate(db: sqlite3.Connection, version: int) -> None:
    """Takes the steps after ``version`` (0: no tables yet); leaves the mark that rows may be missing.

    To be called inside a transaction: a kill half-way leaves the form from before.
    """
    for step in STEPS[version:]:
        for statement in step:
            db.execute(statement)
    set_version(db, whole=False)


def set_version(db: sqlite3.Connection, *, whole: bool) -> None:
    """Says that the tables have today's form, and whether they have all rows."""
    db.execute(f"PRAGMA user_version = {VERSION if whole else -VERSION}")


def drop_tables(db: sqlite3.Connection) -> None:
    """Takes out whatever is in the place of our tables."""
    for table in ("names", "runs", "sweeps"):
        db.execute(f"DROP TABLE IF EXISTS {table}")
