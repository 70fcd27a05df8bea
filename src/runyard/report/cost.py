"""Cost: the time that a sweep's attempts took, by the state in which they ended. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runyard.analyze import LoadedSweep
from runyard.base import State
from runyard.record import Attempt, RunRecord

_SECONDS_AN_HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What attempts took together.

    ``cpu_hours`` is their time times the CPUs that each job reserved (``resources.cpus``), or one where it reserved
    none; ``gpu_hours`` the same for ``resources.gpus``, or none. Not what the processes really used.
    """

    attempts: int
    seconds: float
    cpu_hours: float
    gpu_hours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The cost of a sweep: in all, by state of the attempts (only those that occur), and what was taken over."""

    all: Spent
    by_state: dict[State, Spent]
    reused: int

    @property
    def wasted(self) -> float:
        """The share of seconds that went into attempts that did not complete; 0 when nothing was spent."""
        done = self.by_state.get(State.COMPLETED)
        return 1 - (done.seconds if done else 0.0) / self.all.seconds if self.all.seconds else 0.0


def cost_of(loaded: LoadedSweep) -> Cost:
    """The cost of a sweep. Results that were taken over from earlier runs cost nothing here."""
    ran = [run for run in loaded.runs if run.reused is None]
    pairs = [(run, attempt) for run in ran for attempt in run.attempts]
    states = [state for state in State if any(attempt.state is state for _, attempt in pairs)]
    return Cost(
        all=_spent(pairs),
        by_state={state: _spent(pair for pair in pairs if pair[1].state is state) for state in states},
        reused=len(loaded.runs) - len(ran),
    )


def _spent(pairs: Iterable[tuple[RunRecord, Attempt]]) -> Spent:
    took = [(attempt.seconds or 0.0, run) for run, attempt in pairs]
    return Spent(
        attempts=len(took),
        seconds=sum(seconds for seconds, _ in took),
        cpu_hours=sum(seconds * _reserved(run, "cpus", 1.0) for seconds, run in took) / _SECONDS_AN_HOUR,
        gpu_hours=sum(seconds * _reserved(run, "gpus", 0.0) for seconds, run in took) / _SECONDS_AN_HOUR,
    )


def _reserved(run: RunRecord, what: str, otherwise: float) -> float:
    value = run.resources.get(what)
    return float(value) if isinstance(value, (int, float)) and value > 0 else otherwise
