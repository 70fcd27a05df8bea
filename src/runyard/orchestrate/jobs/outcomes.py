"""What the controller's loop brings, and what it tells others on its way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from runyard.base import State
from runyard.orchestrate.jobs.returns import Returned
from runyard.orchestrate.planning import PlannedJob
from runyard.record import RunRecord


@dataclass(slots=True)
class Outcomes:
    """What the loop has brought: how many jobs ended in which state, and what the tasks returned."""

    returned: Returned
    counts: Counter[State] = field(default_factory=Counter)
    interrupted: bool = False
    stopped_by_rule: bool = False

    @property
    def failures(self) -> int:
        """Jobs that ended and did not complete."""
        return sum(n for state, n in self.counts.items() if state is not State.COMPLETED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What the loop tells others: ``ended`` after each record, ``turn`` several times a second."""

    ended: Callable[[RunRecord], None]
    turn: Callable[[Sequence[tuple[PlannedJob, float]]], None]
