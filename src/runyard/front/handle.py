"""A sweep that goes on by itself, as a notebook holds it: how it stands, waiting for it, its results, its end."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from runyard.cluster import Observer, cancel_cluster, is_on_cluster
from runyard.front.resuming import start_resume
from runyard.orchestrate import BestSoFar, cancel, status
from runyard.record import read_runs
from runyard.registry import find_sweep

if TYPE_CHECKING:
    from runyard.analyze import Results

#: how often it is looked whether a sweep has ended, in seconds.
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class HandleStatus:
    """How a sweep stands: its state, its jobs by state, and whether a process is at work on it."""

    state: str
    counts: Mapping[str, int]
    is_at_work: bool


@dataclass(frozen=True, slots=True)
class SweepHandle:
    """A sweep by its directory. It holds no process: a sweep goes on when the handle is gone."""

    dir: Path

    @property
    def id(self) -> str:
        """The sweep's name."""
        return self.dir.name

    def status(self) -> HandleStatus:
        """How it stands now."""
        if is_on_cluster(self.dir):
            standing = Observer(self.dir, least_s=0.0).look()
            now, at_work = standing.status, any(worker.is_alive for worker in standing.workers)
        else:
            now = status(self.dir)
            at_work = now.controller is not None
        counts = {str(state): number for state, number in (now.record.counts or {}).items()}
        return HandleStatus(state=str(now.record.state), counts=counts, is_at_work=at_work)

    def wait(self, timeout_s: float | None = None) -> HandleStatus:
        """Waits until nobody is at work on it. An interrupt leaves the sweep running.

        Raises:
            TimeoutError: it is still at work after ``timeout_s`` seconds.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while (now := self.status()).is_at_work:
            if until is not None and time.monotonic() >= until:
                raise TimeoutError(f"{self.id} is still at work after {timeout_s:g} s")
            time.sleep(_LOOK_S)
        return now

    def results(self) -> Results:
        """What came out of it so far, as ``runyard.load`` gives it."""
        from runyard.analyze import load  # loads pandas

        return load(self.dir)

    def cancel(self) -> str:
        """Stops it; what has ended is kept. Returns a sentence."""
        return cancel_cluster(self.dir) if is_on_cluster(self.dir) else cancel(self.dir)

    def resume(self, overrides: Sequence[str] = ()) -> None:
        """Runs every job that is not COMPLETED, in a process of its own; ``hydra.launcher.KEY=VALUE`` may be given."""
        start_resume(self.dir, overrides=overrides)

    def __repr__(self) -> str:
        now = self.status()
        counts = ", ".join(f"{number} {state}" for state, number in now.counts.items() if number)
        return f"<sweep {self.id}: {now.state}{' (' + counts + ')' if counts else ''}>"

    def _repr_html_(self) -> str:
        """A small table for a notebook: how it stands, its best jobs so far, its directory."""
        now = self.status()
        counts = ", ".join(f"{number} {state}" for state, number in now.counts.items() if number)
        rows = {
            "sweep": self.id,
            "state": now.state,
            "jobs": counts or "none",
            **self._best(),
            "directory": str(self.dir),
        }
        cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows.items())
        return f"<table>{cells}</table>"

    def _best(self) -> dict[str, str]:
        """The ends of the first metric so far; which of them is better only its user knows."""
        seen = BestSoFar()
        for run in read_runs(self.dir):
            seen.see(run)
        return {f"{end.label or 'all'} {end.metric}": f"{end.value:g} (job {end.job})" for end in seen.best}


def attach(reference: str | Path) -> SweepHandle:
    """The handle of a sweep that was started anywhere: its directory, or its name under ``multirun``.

    Raises:
        UsageError: there is no such sweep.
    """
    return SweepHandle(find_sweep(str(reference), [Path("multirun")], multirun_only=True).absolute())
