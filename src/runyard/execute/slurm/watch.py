"""Watching tasks: one question to Slurm an interval for all of them, and fewer while nothing changes."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from runyard.execute.slurm.command import SlurmError, current_cluster, run_slurm
from runyard.execute.slurm.query import (
    PASSING,
    SACCT_FIELDS,
    SQUEUE_FORMAT,
    SlurmTask,
    TaskState,
    parse_sacct,
    parse_squeue,
)

Run = Callable[[Sequence[str]], str]
#: so many questions more than one an interval may be asked out of turn.
_SPARE = 2


class SlurmWatch:
    """What Slurm says of the tasks of some arrays.

    squeue tells of those that wait or run, and for a while (MinJobAge) of those that have ended, with and without
    accounting. Of tasks that it does not know any more, sacct tells the end; where it does not, they are gone. A node's
    failure, or a preemption, is not the end until it is told twice: the task may be queued again in the next moment.

    On average no more than one question is asked in ``least_s``, whatever the number of tasks.
    """

    def __init__(
        self,
        job_ids: Sequence[int],
        *,
        least_s: float = 10.0,
        most_s: float = 60.0,
        names: Collection[str] = (),
        cluster: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        run: Run = run_slurm,
    ) -> None:
        """Asks nothing yet.

        Args:
            job_ids: numbers of the arrays.
            least_s: at least so much time passes between two questions, on average, in seconds.
            most_s: at most so much.
            names: ids of tasks that were submitted, where they are known: the accounting is asked of those as well
                that ended, and were forgotten by the queue, before this watch began.
            cluster: the cluster that they were submitted to, as ``current_cluster`` told it. Another one is asked
                nothing: it has other jobs by the same numbers. None asks whichever answers.
            clock: seconds that only grow.
            run: how Slurm's commands are called.
        """
        self._ids, self._names = list(job_ids), frozenset(names)
        self._least_s, self._most_s = least_s, most_s
        self._clock, self._run = clock, run
        self._pause_s = least_s
        self._began_at: float | None = None
        self._next_at = float("-inf")
        self._tasks: dict[str, SlurmTask] = {}
        self._passing: frozenset[str] = frozenset()
        self._cluster, self.other_cluster = cluster, ""
        self.has_accounting: bool | None = None
        self.stale_since: float | None = None
        self.calls = 0

    def tasks(self, *, now_wanted: bool = False) -> Mapping[str, SlurmTask]:
        """The tasks by id, as they were last told; see ``task_of`` for those that Slurm does not tell of singly.

        Args:
            now_wanted: ask before the interval is over, if few such questions have been asked.
        """
        now = self._clock()
        if self._ids and not self.other_cluster and (now >= self._next_at or (now_wanted and self._may_ask(now))):
            self._ask(now)
        return self._tasks

    def _may_ask(self, now: float) -> bool:
        began_at = now if self._began_at is None else self._began_at
        return self.calls <= (now - began_at) / self._least_s + _SPARE

    def _ask(self, now: float) -> None:
        calls = self.calls
        self._began_at = now if self._began_at is None else self._began_at
        try:
            if self._is_elsewhere():
                return
            queued = self._queue()
            found = self._settled(self._merged({**self._ends(queued), **queued}))
        except SlurmError:  # it does not answer: what was last told stays
            self.stale_since = now if self.stale_since is None else self.stale_since
            self._pause_s = min(self._pause_s * 2, self._most_s)
        else:
            self._pause_s = min(self._pause_s * 1.5, self._most_s) if found == self._tasks else self._least_s
            self._tasks, self.stale_since = found, None
        self._next_at = now + self._pause_s * max(1, self.calls - calls)

    def _is_elsewhere(self) -> bool:
        """Whether Slurm's commands reach another cluster here; looked at once, for it does not change."""
        if self._cluster is not None:
            self.calls += 1
            here = current_cluster(self._run)
            self.other_cluster = here if here != self._cluster else ""
            self._cluster = None
        return bool(self.other_cluster)

    def _queue(self) -> dict[str, SlurmTask]:
        self.calls += 1
        words = ["squeue", "-h", "-r", "-a", "-t", "all", "-j", ",".join(map(str, self._ids)), "-O", SQUEUE_FORMAT]
        try:
            return parse_squeue(self._run(words))
        except SlurmError as error:
            if "invalid job id" in error.said.lower():  # it has forgotten all of them
                return {}
            raise

    def _ends(self, found: Mapping[str, SlurmTask]) -> dict[str, SlurmTask]:
        """What the accounting knows of tasks that the queue has forgotten; of those whose end is known, that."""
        ended = {name: task for name, task in self._tasks.items() if task.ended and not task.gone}
        known = {*found, *ended}
        seen = {name.partition("_")[0] for name in known}
        forgotten = {name.partition("_")[0] for name in {*self._tasks, *self._names} - known if "_" in name}
        ids = [str(one) for one in self._ids if str(one) in forgotten or str(one) not in seen]
        if not ids or self.has_accounting is False:
            return ended
        self.calls += 1
        try:
            told = parse_sacct(self._run(["sacct", "-n", "-D", "-P", "-o", SACCT_FIELDS, "-j", ",".join(ids)]))
        except SlurmError as error:
            if "accounting storage is disabled" not in error.said.lower():
                raise
            self.has_accounting = False
            return ended
        self.has_accounting = True
        left = {name: task if task.ended else dataclasses.replace(task, gone=True) for name, task in told.items()}
        return {**left, **ended}

    def _merged(self, found: dict[str, SlurmTask]) -> dict[str, SlurmTask]:
        """With those that are gone: tasks that were known, and under an array's own id all that nobody tells of."""
        merged = dict(found)
        for name, before in self._tasks.items():
            task = merged.get(name)
            if task is None:
                merged[name] = dataclasses.replace(before, gone=True)
            elif task.restarts < before.restarts:  # not every source counts them
                merged[name] = dataclasses.replace(task, restarts=before.restarts)
        for job_id in map(str, self._ids):
            merged.setdefault(job_id, SlurmTask(id=job_id, state=TaskState.UNKNOWN, gone=True))
        return merged

    def _settled(self, found: dict[str, SlurmTask]) -> dict[str, SlurmTask]:
        passing = frozenset(name for name, task in found.items() if task.state in PASSING)
        fresh = passing - self._passing
        self._passing = passing
        return {
            name: dataclasses.replace(task, state=TaskState.COMPLETING, reason=task.state) if name in fresh else task
            for name, task in found.items()
        }
