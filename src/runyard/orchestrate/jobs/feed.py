"""Where the controller takes its jobs from: the plan of a sweep, or claims that many make."""

from __future__ import annotations

from typing import Protocol

from runyard.orchestrate.planning import PlannedJob
from runyard.record import Attempt

Earlier = tuple[Attempt, ...]


class Feed(Protocol):
    """The jobs to run, in order; each with its attempts so far. What it has planned ahead is its own affair.

    ``is_alone`` tells that nobody else takes jobs from it: they may be taken before there is room for them.
    """

    is_alone: bool

    def peek(self) -> tuple[PlannedJob, Earlier] | None:
        """The next job; None after the last.

        It is asked for when there is room for a job, and sooner where the feed ``is_alone``.
        """

    def glance(self) -> tuple[PlannedJob, Earlier] | None:
        """The job that is likely to be next, for getting it ready; None when that is not known."""

    def pop(self) -> None:
        """Takes the next job away."""

    def work_ahead(self) -> bool:
        """Does a little of what will be needed; returns whether there is more to do."""
