"""How a sweep on a cluster stands: its jobs from the files, its workers from what they leave and what Slurm says."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runyard.base import State, SweepState
from runyard.cluster.feed import died, is_handed_on
from runyard.cluster.signs import (
    SILENCE_S,
    Beat,
    Silence,
    heard_ago_s,
    is_over,
    is_stopped,
    read_beat,
    read_end,
    was_heard,
)
from runyard.cluster.vitals import Vitals
from runyard.cluster.work import cluster_of, job_ids, read_works, worker_names
from runyard.cluster.worker import AGAIN
from runyard.execute import SlurmTask, SlurmWatch, TaskState, task_of
from runyard.orchestrate import SweepStatus
from runyard.orchestrate import sweep_state as state_of_jobs
from runyard.record import Claims, Holder, RunRecord, SweepPaths, count_states, read_runs, read_sweep

_WAITING = frozenset({TaskState.QUEUED, TaskState.REQUEUED})
_UNDER_WAY = frozenset({TaskState.RUNNING, TaskState.COMPLETING, TaskState.SUSPENDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStanding:
    """One worker: its name in Slurm, its state there, where it is, what it runs, and whether it may run more.

    ``silent_s``: for how many seconds nothing has been heard of one that ought to be running; 0 while that is little.
    """

    name: str
    state: TaskState
    is_alive: bool
    node: str = ""
    reason: str = ""
    restarts: int = 0
    jobs: tuple[int, ...] = ()
    silent_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A sweep on a cluster. ``unsure`` says why Slurm could not be asked, and is empty where it could."""

    status: SweepStatus
    workers: Sequence[WorkerStanding]
    unsure: str = ""

    @property
    def is_at_work(self) -> bool:
        """Whether some worker runs, or waits to."""
        return any(worker.is_alive for worker in self.workers)


class Observer:
    """Follows one sweep. Files are read at each look; Slurm is asked for all workers at once, and seldom."""

    def __init__(self, sweep_dir: Path, *, least_s: float = 10.0) -> None:
        """``least_s`` is the least time between two questions to Slurm, in seconds."""
        self._dir, self._least_s = sweep_dir, least_s
        self._silence = Silence(sweep_dir)
        self._ids: list[int] = []
        self._watch = SlurmWatch([], least_s=least_s)

    @property
    def calls(self) -> int:
        """How often Slurm was asked."""
        return self._watch.calls

    def look(self) -> Standing:
        """How the sweep stands now.

        Raises:
            RecordError: the directory is not that of a sweep, or what was submitted cannot be read.
        """
        works = read_works(self._dir)
        ids = job_ids(works)
        if ids != self._ids:
            names, cluster = worker_names(works), cluster_of(works)
            self._ids = ids
            self._watch = SlurmWatch(ids, least_s=self._least_s, names=names, cluster=cluster)
        tasks = self._watch.tasks()
        workers = [self._worker(name, task_of(tasks, name)) for name in worker_names(works)]
        if any(w.state in _UNDER_WAY and w.is_alive and self._silence.of(w.name) > SILENCE_S for w in workers):
            tasks = self._watch.tasks(now_wanted=True)  # it ought to have told that it lives
            workers = [self._worker(name, task_of(tasks, name)) for name in worker_names(works)]
        return Standing(
            status=_status(self._dir, workers, Vitals(self._dir, self._watch)),
            workers=workers,
            unsure=self._unsure(),
        )

    def _unsure(self) -> str:
        if self._watch.other_cluster:
            return f"its workers are on another cluster than this ({self._watch.other_cluster}); ask there"
        return "Slurm does not answer; states are what was last known" if self._watch.stale_since is not None else ""

    def _worker(self, name: str, task: SlurmTask | None) -> WorkerStanding:
        beat, end = read_beat(self._dir, name), read_end(self._dir, name)
        restarts = max(task.restarts if task else 0, beat.restarts if beat else 0)
        state = task.state if task is not None else TaskState.UNKNOWN
        is_alive = not task.ended if task is not None else True
        if task is not None and beat is not None and self._has_begun_since(name, task, beat):
            state, is_alive = TaskState.RUNNING, True
        if end is not None and end.restarts >= restarts and end.code != AGAIN and end.code <= 128:
            is_alive = False  # it is done; Slurm may not know yet
            state = state if task is not None and task.ended else _after(end.code)
        heard_s = heard_ago_s(self._dir, name) if state in _UNDER_WAY and is_alive else None
        running = beat.jobs if beat is not None and is_alive and not is_over(self._dir, name, beat.restarts) else ()
        return WorkerStanding(
            name=name,
            state=state,
            is_alive=is_alive,
            node=(task.node if task else "") or (beat.node if beat else ""),
            reason=task.reason if task else "",
            restarts=restarts,
            jobs=running,
            silent_s=round(heard_s, 1) if heard_s is not None and heard_s > SILENCE_S else 0.0,
        )

    def _has_begun_since(self, name: str, task: SlurmTask, beat: Beat) -> bool:
        """Whether a worker has begun its life since Slurm was asked."""
        is_same = beat.restarts == task.restarts and (task.gone or task.state in _WAITING)
        is_newer = beat.restarts > task.restarts or is_same
        return is_newer and not is_over(self._dir, name, beat.restarts) and was_heard(self._dir, name)


def _after(code: int) -> TaskState:
    return TaskState.COMPLETED if code == 0 else TaskState.FAILED


def _status(sweep_dir: Path, workers: Sequence[WorkerStanding], vitals: Vitals) -> SweepStatus:
    record, alive = read_sweep(sweep_dir), {worker.name: worker for worker in workers}
    runs = settled_runs(sweep_dir, vitals, alive)
    at_work = [worker for worker in workers if worker.is_alive]
    if not at_work:
        state = SweepState.CANCELLED if is_stopped(sweep_dir, "cancelled") else state_of_jobs(runs)
    elif any(worker.state in _UNDER_WAY for worker in at_work) or any(run.attempts for run in runs):
        state = SweepState.RUNNING
    else:
        state = SweepState.PENDING
    if all(run.state is State.COMPLETED for run in runs) and runs:
        state = SweepState.COMPLETED
    controller: Mapping[str, object] | None = {"slurm": [w.name for w in at_work]} if at_work else None
    return SweepStatus(
        record=dataclasses.replace(record, state=state, counts=count_states(runs)), runs=runs, controller=controller
    )


def settled_runs(sweep_dir: Path, vitals: Vitals, workers: Mapping[str, WorkerStanding]) -> list[RunRecord]:
    """All runs; those whose worker has died while they ran are in the state that it left them in."""
    claims = Claims(SweepPaths(sweep_dir).claims)
    turns = claims.turns()
    runs = [_waiting(run) for run in read_runs(sweep_dir, touched=turns)]

    def settled(run: RunRecord) -> RunRecord:
        if run.state is not State.RUNNING or not run.attempts or run.job not in turns:
            return run
        holder = claims.holder(run.job, turns[run.job])
        if holder is None or not _is_dead(sweep_dir, holder, workers.get(holder.worker)):
            return run
        state, words = vitals.cause(holder)
        return run.with_attempt(died(run, state, words))

    return [settled(run) for run in runs]


def _waiting(run: RunRecord) -> RunRecord:
    """A job that waits for workers of its next stage is PENDING to whoever looks."""
    if run.state is State.PREEMPTED and is_handed_on(run.attempts[-1].to_json()):
        return dataclasses.replace(run, state=State.PENDING)
    return run


def _is_dead(sweep_dir: Path, holder: Holder, worker: WorkerStanding | None) -> bool:
    if is_over(sweep_dir, holder.worker, holder.restarts):
        return True
    if worker is None:
        return False
    return worker.restarts > holder.restarts or not worker.is_alive
