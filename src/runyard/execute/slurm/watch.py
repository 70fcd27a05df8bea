"""Watching tasks: one question to Slurm an interval for all of them, and fewer while nothing changes."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence

from runyard.execute.slurm.command import SlurmError, run_slurm
from runyard.execute.slurm.query import (
    SACCT_FIELDS,
    SQUEUE_FORMAT,
    SlurmTask,
    TaskState,
    parse_sacct,
    parse_scontrol,
    parse_squeue,
)

Run = Callable[[Sequence[str]], str]


class SlurmWatch:
    """What Slurm says of the tasks of some arrays.

    squeue tells of those that wait or run, and for a while of those that have ended. Of tasks that it does not know any
    more, sacct tells the end; without accounting they count as gone, once they were known. A node's failure is not the
    end until it is told twice: the task may be queued again in the next moment.
    """

    def __init__(
        self,
        job_ids: Sequence[int],
        *,
        least_s: float = 10.0,
        most_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        run: Run = run_slurm,
    ) -> None:
        """``least_s`` and ``most_s`` bound the time between two questions, in seconds."""
        self._ids = list(job_ids)
        self._least_s, self._most_s = least_s, most_s
        self._clock, self._run = clock, run
        self._pause_s = least_s
        self._asked_at = float("-inf")
        self._tasks: dict[str, SlurmTask] = {}
        self._failing: frozenset[str] = frozenset()
        self.has_accounting: bool | None = None
        self.stale_since: float | None = None
        self.calls = 0

    def tasks(self, *, now_wanted: bool = False) -> Mapping[str, SlurmTask]:
        """The tasks by id, as they were last told. ``now_wanted`` asks again as soon as ``least_s`` allows."""
        now = self._clock()
        if self._ids and now - self._asked_at >= (self._least_s if now_wanted else self._pause_s):
            self._asked_at = now
            self._ask(now)
        return self._tasks

    def _ask(self, now: float) -> None:
        try:
            found = self._queue()
        except SlurmError:  # it does not answer: what was last told stays
            self.stale_since = self.stale_since or now
            self._pause_s = min(self._pause_s * 2, self._most_s)
            return
        missing = [name for name in self._tasks if name not in found and not self._tasks[name].ended]
        if missing or not found:
            found |= {name: task for name, task in self._ends().items() if name not in found}
        for name, task in self._tasks.items():
            if name in found and found[name].restarts < task.restarts:  # not every source counts them
                found[name] = dataclasses.replace(found[name], restarts=task.restarts)
            if name not in found:
                found[name] = task if task.ended else dataclasses.replace(task, gone=True)
        for job_id in self._ids:
            if str(job_id) not in found and not any(name.startswith(f"{job_id}_") for name in found):
                found[str(job_id)] = SlurmTask(id=str(job_id), state=TaskState.UNKNOWN, gone=True)  # forgotten by all
        found = self._believed(found)
        self._pause_s = min(self._pause_s * 1.5, self._most_s) if found == self._tasks else self._least_s
        self._tasks, self.stale_since = found, None

    def _queue(self) -> dict[str, SlurmTask]:
        self.calls += 1
        words = ["squeue", "-h", "-r", "-a", "-t", "all", "-j", ",".join(map(str, self._ids)), "-O", SQUEUE_FORMAT]
        try:
            return parse_squeue(self._run(words))
        except SlurmError as error:
            if "invalid job id" in error.said.lower():  # it has forgotten all of them
                return {}
            raise

    def _ends(self) -> dict[str, SlurmTask]:
        """What is known of tasks that are not in the queue."""
        if self.has_accounting is not False:
            self.calls += 1
            words = ["sacct", "-n", "-X", "--parsable2", "-o", SACCT_FIELDS, "-j", ",".join(map(str, self._ids))]
            try:
                found = parse_sacct(self._run(words))
            except SlurmError as error:
                if "Restarts" in error.said:  # a field that older versions do not have
                    return self._older_ends(words)
                if not error.is_silence:
                    self.has_accounting = False
            else:
                self.has_accounting = True
                return found
        self.calls += 1
        try:
            return parse_scontrol(self._run(["scontrol", "-a", "show", "job", "-o"]))
        except SlurmError:
            return {}

    def _older_ends(self, words: list[str]) -> dict[str, SlurmTask]:
        self.calls += 1
        words = [word.replace(",Restarts", "") for word in words]
        try:
            self.has_accounting = True
            return parse_sacct(self._run(words))
        except SlurmError:
            self.has_accounting = False
            return {}

    def _believed(self, found: dict[str, SlurmTask]) -> dict[str, SlurmTask]:
        failing = frozenset(name for name, task in found.items() if task.state is TaskState.NODE_FAIL)
        fresh = failing - self._failing
        self._failing = failing
        return {
            name: dataclasses.replace(task, state=TaskState.COMPLETING, reason="NODE_FAIL") if name in fresh else task
            for name, task in found.items()
        }
