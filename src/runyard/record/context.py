"""The run that this process is at work on: what the public functions for tasks write to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runyard.base import UsageError
from runyard.record.run import StageInfo
from runyard.record.table import Table, open_table


@dataclass(kw_only=True, slots=True)
class ActiveRun:
    """The run at work in this process.

    ``dir`` is its folder, ``sweep_dir`` the sweep's (None for a single run), ``job`` its number (None for a single
    run) and ``attempt`` counts from 1. ``shared_dir`` is where results are kept that several jobs have in common.
    ``is_over`` is for whoever still holds it afterwards.
    """

    dir: Path
    sweep_dir: Path | None
    job: int | None
    attempt: int
    shared_dir: Path
    params: Mapping[str, Any] = field(default_factory=dict)
    stages: dict[str, StageInfo] = field(default_factory=dict)
    is_over: bool = False
    _tables_dir: Path | None = None

    @property
    def tables_dir(self) -> Path:
        """Where rows go now: the run's folder, or the stage's while one runs."""
        return self._tables_dir or self.dir / "tables"

    @contextmanager
    def inside(self, folder: Path) -> Iterator[None]:
        """While it lasts, rows go into ``folder``."""
        before, self._tables_dir = self._tables_dir, folder
        try:
            yield
        finally:
            self._tables_dir = before


_active: ContextVar[ActiveRun | None] = ContextVar("runyard_active_run", default=None)


def current() -> ActiveRun:
    """The run at work.

    Raises:
        UsageError: there is none: the code does not run as a job of a recorded sweep.
    """
    run = _active.get()
    if run is None:
        raise UsageError(
            "no run is active in this process",
            todo="start the application with +runyard=local or +runyard=record; "
            "in a test, use 'with runyard.testing.active_run(folder):'",
        )
    return run


def current_or_none() -> ActiveRun | None:
    """The run at work, or None."""
    return _active.get()


@contextmanager
def activate(run: ActiveRun) -> Iterator[ActiveRun]:
    """Makes ``run`` the one at work while it lasts."""
    token = _active.set(run)
    try:
        yield run
    finally:
        _active.reset(token)
        run.is_over = True


def set_active(run: ActiveRun | None) -> None:
    """Makes ``run`` the one at work until the next call; for hooks that have a start and an end only."""
    before = _active.get()
    if before is not None and before is not run:
        before.is_over = True
    _active.set(run)


def table(name: str) -> Table:
    """The table ``name`` of the run at work; rows end up in the sweep's ``tables/<name>.csv``.

    Each row gets its job's number and swept values there, so that rows of all jobs can be told apart.

    >>> runyard.table("matches").append(i=3, j=7, reward=0.25)  # doctest: +SKIP

    Raises:
        UsageError: no run is active, or the name cannot be a file's.
    """
    return open_table(current().tables_dir, name)
