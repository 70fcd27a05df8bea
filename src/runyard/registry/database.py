"""The registry: an SQLite database over the sweeps and runs of one root. Never the truth; made again from files.

One process writes at a time, under the root's lock, so that SQLite's own locks are hardly ever waited for; readers
are let in between. Whoever cannot write in time goes on without: the files have it all, and ``reindex``, ``ls`` and
``query`` find by the files' stamps what is missing.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from enum import Enum
from pathlib import Path
from typing import Any

from runyard.base import RecordError, SweepState
from runyard.record import RootPaths, RunRecord
from runyard.registry.connection import changing, is_damage, reading
from runyard.registry.index import root_lock
from runyard.registry.migrations import VERSION, drop_tables, migrate, set_version
from runyard.registry.rows import RUN_COLUMNS, SWEEP_COLUMNS, absolute_path, newest_first, read_sweep_row, stored_path
from runyard.registry.signature import signature_of
from runyard.registry.tables import SweepRows, decoded, read_rows, write_rows
from runyard.registry.walk import all_sweep_dirs, stamp_of

_BUSY_S = 10.0
#: how long at least the rows of a whole sweep wait for their turn: nothing but ``reindex`` would bring them in later.
_PATIENCE_S = 20.0
_BATCH = 2000  # rows
_FEW = 20  # sweeps that can be looked at while somebody waits


class Condition(str, Enum):
    """How the registry of a root is found. All but WHOLE call for ``reindex``; LATER is for a later Runyard only."""

    WHOLE = "whole"
    MISSING = "missing"
    PARTIAL = "not complete"
    EARLIER = "of an earlier version"
    LATER = "of a later version"
    OTHER_VERSION = "without its tables"
    DAMAGED = "damaged"


class Registry:
    """The registry of one root.

    Args:
        root: the folder above the sweeps.
        busy_s: how long to wait for other processes, in seconds.

    Raises:
        RecordError: from every method: the database cannot be opened, was busy for longer than the limit, or was
            made by a later version. Nothing is lost then; whoever is at work on a sweep goes on without it.
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
            with self.reading() as db:
                version = db.execute("PRAGMA user_version").fetchone()[0]
                tables = {row["name"] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        except RecordError as exc:
            if is_damage(exc.__cause__):
                return Condition.DAMAGED
            raise
        if abs(version) > VERSION:
            return Condition.LATER
        if version == 0 or not {"sweeps", "runs"} <= tables:
            return Condition.OTHER_VERSION
        return {VERSION: Condition.WHOLE, -VERSION: Condition.PARTIAL}.get(version, Condition.EARLIER)

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """A context with a connection to look with; see ``runyard.registry.connection``."""
        return reading(self._path, self._busy_s)

    def put(self, sweep_dir: Path, runs: Sequence[RunRecord] | None = None) -> None:
        """Brings the rows of one sweep up to its files, in one transaction.

        Args:
            sweep_dir: the sweep, inside or outside the root.
            runs: only these runs have changed since the last call; None reads them all from the files.

        Raises:
            RecordError: also when ``sweep.json`` cannot be read.
        """
        rows = read_rows(self._root, sweep_dir, runs)
        with self._locked(patience_s=max(self._busy_s, _PATIENCE_S) if runs is None else self._busy_s):
            if self._make_ready() and self._is_first(sweep_dir):
                with self._change() as db:
                    set_version(db, whole=True)
            with self._change() as db:
                write_rows(db, rows)

    def rows(self) -> list[dict[str, Any]]:
        """The sweeps, newest first: keys as in ``sweep_row``, and ``stamp``. Empty when there is no registry."""
        if not self._path.is_file():
            return []
        names = ", ".join(("path", "stamp", *SWEEP_COLUMNS))
        with self.reading() as db:
            raw = db.execute(f"SELECT {names} FROM sweeps").fetchall()
        found = [decoded(row, SWEEP_COLUMNS) for row in raw]
        for row in found:
            row["path"] = str(absolute_path(self._root, row["path"]))
        return newest_first(found)

    def runs(self, sweep_id: str, *, limit: int | None = None) -> list[dict[str, Any]]:
        """The runs of a sweep by job: keys as in ``run_row``; the first ``limit`` of them, None for all."""
        if not self._path.is_file():
            return []
        with self.reading() as db:
            query = "SELECT * FROM runs WHERE sweep_id = ? ORDER BY sweep, job LIMIT ?"
            found = db.execute(query, (sweep_id, -1 if limit is None else limit)).fetchall()
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
        with self.reading() as db:
            rows = db.execute(query, tuple(keys)).fetchall()
        for row in rows:
            values = {k: v for k, v in decoded(row, RUN_COLUMNS).items() if k not in ("sweep", "path")}
            sweep_dir = absolute_path(self._root, row["path"])
            values |= {"sweep_dir": str(sweep_dir), "run_dir": os.path.abspath(sweep_dir / values["run_dir"])}
            found.setdefault(values["run_key"], []).append(values)
        return found

    def run_counts(self) -> dict[str, dict[str, int]]:
        """How many runs are in which state, by the path of their sweep as in ``rows``."""
        counts: dict[str, dict[str, int]] = {}
        query = "SELECT path, runs.state AS state, COUNT(*) AS n FROM runs JOIN sweeps ON number = sweep GROUP BY 1, 2"
        with self.reading() as db:
            rows = db.execute(query).fetchall()
        for row in rows:
            counts.setdefault(str(absolute_path(self._root, row["path"])), {})[row["state"]] = row["n"]
        return counts

    def remove(self, sweep_id: str) -> None:
        """Takes a sweep and its runs out; its files stay, and ``reindex`` would bring it back."""
        if self._path.is_file():
            with self._locked(), self._change() as db:
                db.execute("DELETE FROM sweeps WHERE sweep_id = ?", (sweep_id,))

    def reindex(self, *, full: bool = False) -> int:
        """Makes the registry equal to the files; returns the number of sweeps.

        Takes in every sweep below the root, and those elsewhere that index.csv or the registry name. Sweeps that
        cannot be read are left out (see ``unreadable_sweeps``). Some sweeps at a time, so that controllers at
        work can write in between; killed half-way, it is known to be not complete.

        Args:
            full: reads every sweep. Otherwise those whose files have another time or size than when they were read.
        """
        return self._bring_up(lambda sweep_dir, known: not full and signature_of(sweep_dir) == known["signature"])

    def catch_up(self) -> int:
        """``reindex`` at a glance: only sweeps whose ``sweep.json`` was replaced, or that are at work, are looked into.

        For whoever wants to ask the registry: what changed without a word in ``sweep.json`` is not seen.
        """
        return self._bring_up(_fits_at_a_glance)

    def _bring_up(self, fits: Callable[[Path, sqlite3.Row], bool]) -> int:
        if self.condition() is not Condition.WHOLE:
            with self._locked():
                self._make_ready()
        known = self._known()
        kept: set[str] = set()
        changed = []
        for sweep_dir in all_sweep_dirs(self._root, [absolute_path(self._root, path) for path in known]):
            path = stored_path(self._root, sweep_dir)
            row = known.get(path)
            if row is not None and row["signature"] is not None and fits(sweep_dir, row):
                kept.add(path)
            else:
                changed.append(sweep_dir)
        for batch in self._batches(changed):
            with self._locked(), self._change() as db:
                for rows in batch:
                    write_rows(db, rows)
            kept |= {rows.sweep["path"] for rows in batch}
        # only what was there before: a sweep that began meanwhile has put itself in
        gone = [(path,) for path in known if path not in kept]
        if gone or self.condition() is not Condition.WHOLE:
            with self._locked(), self._change() as db:
                db.executemany("DELETE FROM sweeps WHERE path = ?", gone)
                set_version(db, whole=True)
        return len(kept)

    def _known(self) -> dict[str, sqlite3.Row]:
        """Path, state, stamp and signature of the sweeps, by path as it is kept."""
        with self.reading() as db:
            return {row["path"]: row for row in db.execute("SELECT path, state, stamp, signature FROM sweeps")}

    def _batches(self, sweep_dirs: Sequence[Path]) -> Iterator[list[SweepRows]]:
        """Rows of the sweeps that can be read, in lists that make a transaction of a fraction of a second."""
        batch: list[SweepRows] = []
        size = 0
        for sweep_dir in sweep_dirs:
            with suppress(RecordError, OSError):
                batch.append(read_rows(self._root, sweep_dir, None))
                size += 1 + len(batch[-1].runs)
            if size >= _BATCH:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _make_ready(self) -> bool:
        """Brings the tables to today's form; for the holder of the lock. Whether there were none that could be used."""
        condition = self.condition()
        if condition in (Condition.WHOLE, Condition.PARTIAL):
            return False
        if condition is Condition.LATER:
            raise RecordError(
                self._path,
                f"it was made by a later Runyard; this one knows the registry's form up to {VERSION}. Use the later "
                "one; or delete the file, and 'runyard reindex' makes it again",
            )
        if condition is Condition.DAMAGED:
            for path in (self._path, Path(f"{self._path}-journal")):
                path.unlink(missing_ok=True)
        with self._change() as db:
            version = 0
            if condition is Condition.EARLIER:
                version = abs(db.execute("PRAGMA user_version").fetchone()[0])
            else:
                drop_tables(db)
            migrate(db, version)
        return condition is not Condition.EARLIER

    def _is_first(self, sweep_dir: Path) -> bool:
        """Whether a new registry has all that there is with this sweep; to read others would keep it from its jobs.

        Others that have just begun as well put themselves in.
        """
        others = [other for other in all_sweep_dirs(self._root, []) if other != Path(os.path.abspath(sweep_dir))]
        try:
            return len(others) <= _FEW and all(
                read_sweep_row(other)["state"] == SweepState.RUNNING.value for other in others
            )
        except RecordError:
            return False

    def _locked(self, patience_s: float | None = None) -> AbstractContextManager[None]:
        return root_lock(self._root, timeout_s=self._busy_s if patience_s is None else patience_s)

    def _change(self) -> AbstractContextManager[sqlite3.Connection]:
        """A context with one transaction, to be had by the holder of the lock."""
        return changing(self._path, self._busy_s)


def _fits_at_a_glance(sweep_dir: Path, known: sqlite3.Row) -> bool:
    if known["stamp"] != stamp_of(sweep_dir):
        return False
    return known["state"] != SweepState.RUNNING.value or bool(signature_of(sweep_dir) == known["signature"])
