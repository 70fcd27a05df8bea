"""The states of a job and the moves between them; the states of a sweep. Nothing else decides them."""

from __future__ import annotations

from enum import Enum

from runyard.base.errors import RunyardError


class State(str, Enum):
    """State of a job or of one attempt. The value is the name, as it stands in every file."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    TIMEOUT = "TIMEOUT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    PREEMPTED = "PREEMPTED"
    CANCELLED = "CANCELLED"
    LOST = "LOST"

    def __str__(self) -> str:
        return self.value


class SweepState(str, Enum):
    """State of a sweep.

    PENDING: planned, nothing has run. RUNNING: a controller is at work. COMPLETED: every job is.
    FAILED: it ended and some job is not COMPLETED. CANCELLED: stopped by the user.
    LOST: its controller died (never written, always derived).
    """

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    LOST = "LOST"

    def __str__(self) -> str:
        return self.value


STATES: tuple[State, ...] = tuple(State)

_ENDS = frozenset(
    {
        State.COMPLETED,
        State.FAILED,
        State.TIMEOUT,
        State.OUT_OF_MEMORY,
        State.PREEMPTED,
        State.CANCELLED,
        State.LOST,
    }
)

#: from a state, the states that may follow. COMPLETED is final; every other end may be tried again. A job that cannot
#: be started fails at once, and one whose result is taken over from an earlier run completes at once.
MOVES: dict[State, frozenset[State]] = {
    State.PENDING: frozenset({State.RUNNING, State.CANCELLED, State.FAILED, State.COMPLETED}),
    State.RUNNING: _ENDS,
    State.COMPLETED: frozenset(),
    **{end: frozenset({State.RUNNING, State.PENDING}) for end in _ENDS - {State.COMPLETED}},
}

#: ends that are not what was wanted, and not what the user asked for.
FAILURES: tuple[State, ...] = (State.FAILED, State.TIMEOUT, State.OUT_OF_MEMORY, State.PREEMPTED, State.LOST)

#: states in which nothing is under way.
TERMINAL: frozenset[State] = _ENDS


def move(current: State, following: State) -> State:
    """Returns ``following`` when the move is allowed.

    Raises:
        RunyardError: the move is not in the table.
    """
    if following not in MOVES[current]:
        raise RunyardError(f"a job cannot go from {current} to {following}")
    return following
