"""Whether workers live, and what they have died of: by what they leave, and by what Slurm says."""

from __future__ import annotations

from pathlib import Path

from runyard.base import RecordError, State
from runyard.cluster.signs import is_over, is_stopped, read_end, was_heard
from runyard.cluster.work import cluster_of, job_ids, read_works, worker_names
from runyard.execute import SlurmTask, SlurmWatch, TaskState, memory_kill_in, task_of
from runyard.record import Holder, SweepPaths

#: what a job has died of, by how its worker's allocation ended.
_CAUSES = {
    TaskState.OUT_OF_MEMORY: (State.OUT_OF_MEMORY, "was killed by Slurm for want of memory"),
    TaskState.PREEMPTED: (State.PREEMPTED, "was preempted"),
    TaskState.TIMEOUT: (State.PREEMPTED, "reached the time limit of its allocation"),
    TaskState.NODE_FAIL: (State.LOST, "died with its node"),
    TaskState.CANCELLED: (State.LOST, "was cancelled in Slurm"),
}
_LOG_END = 4096


def is_past(task: SlurmTask, restarts: int) -> bool:
    """Whether what Slurm said of a task means that a life of it is over.

    What it said may be older than that life: that the task waits, or had ended, is then no news of it. A task that
    it has forgotten does not come back.
    """
    return task.gone or task.restarts > restarts or (task.ended and task.restarts >= restarts)


class Vitals:
    """Of the workers of one sweep; asks Slurm only where files do not tell, and once for all of them."""

    def __init__(self, sweep_dir: Path, watch: SlurmWatch | None = None) -> None:
        self._dir, self._watch = sweep_dir, watch

    def task(self, worker: str) -> SlurmTask | None:
        """What Slurm says of a worker; None when it says nothing."""
        if self._watch is None:
            try:
                works = read_works(self._dir)
                self._watch = SlurmWatch(job_ids(works), names=worker_names(works), cluster=cluster_of(works))
            except RecordError:
                return None
        return task_of(self._watch.tasks(now_wanted=True), worker)

    def is_dead(self, holder: Holder) -> bool:
        """Whether that life of the worker is over, for certain."""
        if is_over(self._dir, holder.worker, holder.restarts):
            return True
        task = self.task(holder.worker)
        if task is None or (task.gone and was_heard(self._dir, holder.worker)):
            return False
        return is_past(task, holder.restarts)

    def cause(self, holder: Holder) -> tuple[State, str]:
        """What a job has died of whose worker did: a state, and words."""
        task = self.task(holder.worker)
        state = task.state if task is not None else TaskState.UNKNOWN
        if is_stopped(self._dir, "cancelled"):
            found = State.CANCELLED, "was cancelled"
        elif memory_kill_in(self._log_end(holder.worker)):
            found = State.OUT_OF_MEMORY, "was killed by Slurm for want of memory"
        elif state in _CAUSES:
            found = _CAUSES[state]
        else:
            end = read_end(self._dir, holder.worker)
            known = end is not None and end.restarts >= holder.restarts
            how = _exit_words(end.code) if known and end is not None else "its allocation was taken and queued again"
            found = State.LOST, f"died ({how})"
        return found[0], f"its worker {holder.worker} {found[1]}"

    def _log_end(self, worker: str) -> str:
        try:
            with (SweepPaths(self._dir).slurm / f"{worker}.log").open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - _LOG_END))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""


def _exit_words(code: int) -> str:
    return f"signal {code - 128}" if code > 128 else f"exit code {code}"
