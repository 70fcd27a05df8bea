"""A run without a sweep, for tests of a task that uses the public functions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runyard.record import ActiveRun, activate


@contextmanager
def active_run(folder: Path, *, job: int = 0, attempt: int = 1) -> Iterator[ActiveRun]:
    """Makes ``folder`` the directory of the run at work: stages, tables and shared results go there."""
    run = ActiveRun(dir=folder, sweep_dir=None, job=job, attempt=attempt, shared_dir=folder / "shared")
    with activate(run):
        yield run
