"""The jobs that a worker takes: those of its own lane first, then whatever others have not taken, or have left."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runyard.base import TERMINAL, RecordError, State
from runyard.cluster.signs import cancelled_jobs, is_stopped
from runyard.cluster.work import Work
from runyard.orchestrate import PlannedJob, PlannedJobs, brief
from runyard.pipeline import StageElsewhere
from runyard.record import (
    Attempt,
    Claims,
    ErrorInfo,
    Holder,
    Journal,
    RunRecord,
    SweepPaths,
    read_run,
    replay,
    write_run,
)

#: ends after which a job goes back to the workers.
GIVEN_BACK = frozenset({State.PREEMPTED, State.LOST})

Earlier = tuple[Attempt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When a job may be taken.

    ``is_dead`` tells of a holder whether that life of its worker is over, ``cause`` what its job has died of, as a
    state and in words. ``max_requeues`` bounds how often a job goes back, ``most`` how many this worker takes.
    ``stage`` is the one that it runs of jobs whose stages ``before`` are done; None for whole jobs.
    """

    is_dead: Callable[[Holder], bool]
    cause: Callable[[Holder], tuple[State, str]]
    max_requeues: int
    most: int | None = None
    stage: str | None = None
    before: tuple[str, ...] = ()


class ClaimFeed:
    """Jobs that this worker has claimed, one at a time, when there is room for one.

    Args:
        sweep_dir: the sweep.
        work: the submission that this worker belongs to.
        jobs: the jobs that it may take, in order.
        lane: which of the ``lanes`` workers of these jobs it is. Each begins with jobs of its own, so that they do
            not all reach for the same.
        me: its name and life.
        journal: its part of the journal.
        rules: when a job may be taken.
    """

    is_alone = False

    def __init__(
        self,
        sweep_dir: Path,
        work: Work,
        jobs: Mapping[int, PlannedJob],
        *,
        lane: int,
        lanes: int,
        me: Holder,
        journal: Journal,
        rules: Rules,
    ) -> None:
        self._dir, self._work, self._jobs = sweep_dir, work, jobs
        self._me, self._journal, self._rules = me, journal, rules
        self._claims = Claims(SweepPaths(sweep_dir).claims)
        self._lane, self._lanes = lane, lanes
        self._queue: deque[int] = deque()
        self._runs: Mapping[int, Mapping[str, Any]] = {}
        self._turns: dict[int, int] = {}
        self._head: tuple[PlannedJob, Earlier, int] | None = None
        self._taken = 0

    def peek(self) -> tuple[PlannedJob, Earlier] | None:
        """The job that this worker has claimed, and a new one where it has none; None when there is no more for it."""
        while self._head is None:
            if self._is_enough():
                return None
            if not self._queue:
                self._look_around()
                if not self._queue:
                    return None
            self._head = self._take(self._queue.popleft())
        job, earlier, _ = self._head
        return job, earlier

    def glance(self) -> tuple[PlannedJob, Earlier] | None:
        """The job that this worker will reach for next, if it is a fresh one."""
        if self._head is not None or not self._queue or self._queue[0] in self._runs or self._turns.get(self._queue[0]):
            return None
        return self._jobs[self._queue[0]], ()

    def pop(self) -> None:
        """The claimed job has been started."""
        self._head = None
        self._taken += 1

    def work_ahead(self) -> bool:
        """Nothing is left to plan: that was done at submission."""
        return False

    def give_back(self) -> None:
        """Gives back what was claimed and not started."""
        if self._head is not None:
            job, _, turn = self._head
            self._claims.give_back(job.job, turn)
            self._head = None

    def _is_enough(self) -> bool:
        is_full = self._rules.most is not None and self._taken >= self._rules.most
        return is_full or is_stopped(self._dir, "cancelled") or is_stopped(self._dir, "failures")

    def _look_around(self) -> None:
        """Reads what has become of all jobs, and lines up those that are to be had."""
        self._runs = replay(SweepPaths(self._dir).journal, ("ended",)).runs
        self._turns = self._claims.turns()
        cancelled = cancelled_jobs(self._dir)
        places = {job: place for place, job in enumerate(self._jobs)}
        found = [job for job in self._jobs if job not in cancelled and self._is_open(job)]
        self._queue = deque(sorted(found, key=lambda job: self._order(places[job])))

    def _order(self, place: int) -> tuple[int, int]:
        """Its own lane from the front, then its neighbours' from their ends: so the fewest reach for the same job."""
        lane = (place - self._lane) % self._lanes
        return lane, place if lane == 0 else -place

    def _is_open(self, job: int) -> bool:
        if not self._is_wanted(self._runs.get(job)):
            return False
        turn = self._turns.get(job)
        return not turn or self._is_left(job, turn)

    def _is_wanted(self, run: Mapping[str, Any] | None) -> bool:
        """Whether a job is to run (again): it has not ended since the submission, or was given back."""
        if not self._is_at_stage(run):
            return False
        if run is None:
            return True
        attempts = run.get("attempts") or ()
        since = attempts[self._work.attempts.get(int(run["job"]), 0) :]
        if run["state"] == State.COMPLETED.value:
            return False
        given_back = sum(State(attempt["state"]) in GIVEN_BACK and not is_handed_on(attempt) for attempt in since)
        return not since or (State(run["state"]) in GIVEN_BACK and given_back <= self._rules.max_requeues)

    def _is_at_stage(self, run: Mapping[str, Any] | None) -> bool:
        """Whether a job has come to the stage that this worker runs."""
        if self._rules.stage is None:
            return True
        stages = (run or {}).get("stages") or {}
        done = {name for name, stage in stages.items() if stage.get("state") == State.COMPLETED.value}
        return done.issuperset(self._rules.before) and self._rules.stage not in done

    def _is_left(self, job: int, turn: int) -> bool:
        """Whether whoever took that turn is done with the job."""
        holder = self._claims.holder(job, turn)
        if holder is None:
            return False
        return self._attempts(job) > holder.attempts or self._is_dead(holder)

    def _attempts(self, job: int) -> int:
        return len((self._runs.get(job) or {}).get("attempts") or ())

    def _is_dead(self, holder: Holder) -> bool:
        if holder.worker == self._me.worker:
            return holder.restarts < self._me.restarts
        return self._rules.is_dead(holder)

    def _take(self, number: int) -> tuple[PlannedJob, Earlier, int] | None:
        """Claims a job; None when another was quicker, or it turns out to have ended."""
        last = self._turns.get(number, 0)
        before = self._claims.holder(number, last) if last else None
        job, known = self._jobs[number], self._attempts(number)
        record = _read(job.run_dir) if before is not None or known or self._work.attempts.get(number) else None
        is_left = before is not None and known <= before.attempts  # its holder is dead, and has told of no end
        over = max(known, len(record.attempts)) if is_left and record is not None else known
        if not self._claims.take(number, last + 1, dataclasses.replace(self._me, attempts=over)):
            return None
        if is_left and before is not None:
            record = self._settle(record, before)
        if record is not None and not self._is_wanted(record.to_json()):
            return None
        return job, record.attempts if record is not None else (), last + 1

    def _settle(self, record: RunRecord | None, dead: Holder) -> RunRecord | None:
        """Records what became of a job whose worker died; its own record may tell that it had ended by then."""
        if record is None or len(record.attempts) <= dead.attempts:
            return record  # it was claimed, and not begun
        if record.state not in TERMINAL:
            record = record.with_attempt(died(record, *self._rules.cause(dead)))
            write_run(record)
        self._journal.append("ended", job=record.job, run=brief(record), recovered=True)
        return record


def is_handed_on(attempt: Mapping[str, Any]) -> bool:
    """Whether an attempt ended because its next stage is run by workers of another kind."""
    kind = (attempt.get("error") or {}).get("type") or ""
    return str(kind).endswith(StageElsewhere.__name__)


def died(run: RunRecord, state: State, words: str) -> Attempt:
    """The last attempt at a job whose worker died, with what is known of that."""
    last = run.attempts[-1]
    return dataclasses.replace(
        last, state=state, error=last.error or ErrorInfo(type=state.value.capitalize(), message=words)
    )


def planned_jobs(sweep_dir: Path, names: tuple[str, ...], numbers: list[int]) -> dict[int, PlannedJob]:
    """The planned jobs with these numbers, which are in order.

    Raises:
        RecordError: the plan is damaged, or has no such job.
    """
    wanted, found = set(numbers), dict[int, PlannedJob]()
    if not wanted:
        return found
    jobs = PlannedJobs(sweep_dir, names, first=numbers[0])
    while len(found) < len(wanted):
        job = jobs.read()
        if job is None:
            raise RecordError(SweepPaths(sweep_dir).plan_copy, "it has fewer jobs than were submitted")
        if job.job in wanted:
            found[job.job] = job
    return found


def _read(run_dir: Path) -> RunRecord | None:
    try:
        return read_run(run_dir)
    except RecordError:
        return None
