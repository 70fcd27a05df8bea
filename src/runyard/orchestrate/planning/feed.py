"""The jobs of a sweep as its controller takes them: planned just ahead of their turn, read back from the plan."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from runyard.base import RecordError
from runyard.orchestrate.planning.planner import PlannedJob, PlannedJobs, Planner
from runyard.record import Attempt, Journal, SweepPaths

#: jobs that are planned at a time.
_GROUP = 64


class PlanFeed:
    """Jobs in the order of their numbers.

    Args:
        sweep_dir: the sweep.
        planner: plans what is not planned yet.
        journal: hears of what is planned.
        first: number of the first job.
        count: how many jobs, wanted or not, come from there.
        wanted: tells of a job's number whether it is to run.
        earlier: attempts that jobs have had already.
    """

    is_alone = True

    def __init__(
        self,
        sweep_dir: Path,
        planner: Planner,
        journal: Journal,
        *,
        first: int,
        count: int,
        wanted: Callable[[int], bool] | None = None,
        earlier: Mapping[int, tuple[Attempt, ...]] | None = None,
    ) -> None:
        self._dir, self.planner, self._journal = sweep_dir, planner, journal
        self._next, self._end = first, first + count
        self._wanted, self._earlier = wanted, earlier or {}
        self._jobs: PlannedJobs | None = None
        self._head: PlannedJob | None = None

    def plan_for(self, seconds: float) -> None:
        """Plans ahead for so long, or to the end."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.work_ahead():
            pass

    def peek(self) -> tuple[PlannedJob, tuple[Attempt, ...]] | None:
        """The next job; None after the last."""
        while self._head is None and self._next < self._end:
            job = self._read()
            self._next += 1
            if self._wanted is None or self._wanted(job.job):
                self._head = job
        return None if self._head is None else (self._head, self._earlier.get(self._head.job, ()))

    def glance(self) -> tuple[PlannedJob, tuple[Attempt, ...]] | None:
        """The next job, which nobody else can take."""
        return self.peek()

    def pop(self) -> None:
        """Takes the next job away."""
        self._head = None

    def work_ahead(self) -> bool:
        """Plans a few jobs; returns whether there are more to plan."""
        if not self.planner.is_done:
            self.planner.advance(self._journal, _GROUP)
        return not self.planner.is_done

    def _read(self) -> PlannedJob:
        if self.planner.planned <= self._next:
            self.work_ahead()
        if self._jobs is None:
            self._jobs = PlannedJobs(self._dir, self.planner.names, first=self._next)
        job = self._jobs.read()
        if job is None:
            raise RecordError(SweepPaths(self._dir).plan_copy, f"job {self._next} is not in it any more")
        return job
