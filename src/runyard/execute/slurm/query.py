"""States of tasks, and what Slurm's commands print of them. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

#: what is asked of squeue: array job, array task, state, restarts, node, reason.
SQUEUE_FORMAT = "ArrayJobID:|,ArrayTaskID:|,State:|,RestartCnt:|,NodeList:|,Reason:"
#: of sacct; a count of restarts is among its fields in newer versions only.
SACCT_FIELDS = "JobID,State,NodeList"


class TaskState(str, Enum):
    """State of an array task. REQUEUED: it waits to be started again. UNKNOWN: nobody has told."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETING = "COMPLETING"
    SUSPENDED = "SUSPENDED"
    REQUEUED = "REQUEUED"
    PREEMPTED = "PREEMPTED"
    TIMEOUT = "TIMEOUT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    NODE_FAIL = "NODE_FAIL"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"
    COMPLETED = "COMPLETED"
    UNKNOWN = "UNKNOWN"

    def __str__(self) -> str:
        return self.value


_NAMES = {
    "PENDING": TaskState.QUEUED,
    "CONFIGURING": TaskState.RUNNING,
    "STAGE_OUT": TaskState.COMPLETING,
    "SIGNALING": TaskState.RUNNING,
    "STOPPED": TaskState.SUSPENDED,
    "RESIZING": TaskState.RUNNING,
    "REQUEUE_HOLD": TaskState.REQUEUED,
    "REQUEUE_FED": TaskState.REQUEUED,
    "SPECIAL_EXIT": TaskState.REQUEUED,
    "DEADLINE": TaskState.TIMEOUT,
    "BOOT_FAIL": TaskState.NODE_FAIL,
    "REVOKED": TaskState.CANCELLED,
}
_ENDS = frozenset(
    {
        TaskState.PREEMPTED,
        TaskState.TIMEOUT,
        TaskState.OUT_OF_MEMORY,
        TaskState.NODE_FAIL,
        TaskState.CANCELLED,
        TaskState.FAILED,
        TaskState.COMPLETED,
    }
)
#: ends that may be none: the task may be queued again in the next moment.
PASSING = frozenset({TaskState.NODE_FAIL, TaskState.PREEMPTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmTask:
    """What Slurm says of one array task. ``gone``: it has forgotten a task that it knew, so that has ended."""

    id: str
    state: TaskState
    reason: str = ""
    node: str = ""
    restarts: int = 0
    gone: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing of it runs, or will by itself."""
        return self.gone or self.state in _ENDS


def state_of(text: str) -> TaskState:
    """The state in Slurm's words: ``PENDING``, ``CANCELLED by 0``, ``COMPLETED+``."""
    word = text.split(maxsplit=1)[0].rstrip("+").upper() if text.strip() else ""
    return _NAMES.get(word) or (TaskState(word) if word in TaskState.__members__ else TaskState.UNKNOWN)


#: how scontrol writes that there is none: NO_VAL of Slurm's own source.
_NO_TASK = str(0xFFFFFFFE)


def task_of(tasks: Mapping[str, SlurmTask], name: str) -> SlurmTask | None:
    """What is told of a task: of itself, else of its whole array, as when that was cancelled while it waited."""
    return tasks.get(name) or tasks.get(name.partition("_")[0])


def task_ids(job: str, task: str) -> Iterator[str]:
    """Ids of the tasks that ``[3-5,9%2]`` means of an array; the array's own where it was never told apart."""
    if task in ("", "N/A", _NO_TASK):
        yield job
        return
    for part in task.strip("[]").partition("%")[0].split(","):
        first, _, last = part.partition("-")
        if not first.isdigit():
            continue
        for index in range(int(first), int(last.partition(":")[0] or first) + 1):
            yield f"{job}_{index}"


def parse_squeue(text: str) -> dict[str, SlurmTask]:
    """Tasks by id from ``squeue -h -O`` with ``SQUEUE_FORMAT``; lines of another shape are passed over."""
    found: dict[str, SlurmTask] = {}
    for line in text.splitlines():
        parts = [part.strip() for part in line.split("|")]
        if len(parts) < 6:
            continue
        job, task, state, restarts, node, reason = parts[:6]
        count = int(restarts) if restarts.isdigit() else 0
        told = state_of(state)
        if told is TaskState.QUEUED and count:
            told = TaskState.REQUEUED
        for name in task_ids(job, task):
            found[name] = SlurmTask(
                id=name, state=told, reason="" if reason == "None" else reason, node=node, restarts=count
            )
    return found


def parse_sacct(text: str) -> dict[str, SlurmTask]:
    """Tasks by id from ``sacct -n -D -P`` with ``SACCT_FIELDS``: a line for each life of a task, and for its steps.

    The last life counts; how many came before is how often the task was restarted. A life that failed because a step
    of it wanted too much memory is OUT_OF_MEMORY.
    """
    found: dict[str, SlurmTask] = {}
    for line in text.splitlines():
        parts = line.split("|")
        if len(parts) < 3:
            continue
        name, _, step = parts[0].partition(".")
        state, node = state_of(parts[1]), "" if parts[2].startswith("None") else parts[2]
        job, _, task = name.partition("_")
        for one in task_ids(job, task):
            before = found.get(one)
            if not step:
                restarts = 0 if before is None else before.restarts + 1
                found[one] = SlurmTask(id=one, state=state, node=node, restarts=restarts)
            elif state is TaskState.OUT_OF_MEMORY and before is not None and before.state is TaskState.FAILED:
                found[one] = dataclasses.replace(before, state=state)
    return found


#: what slurmstepd and srun say of it; a job's own words are not theirs.
_MEMORY_KILL = re.compile(
    r"(?im)^(slurmstepd|srun)\b.*(oom[-_ ]kill|exceeded (job |step )?memory limit|out[- ]of[- ]memory)"
)


def memory_kill_in(log: str) -> bool:
    """Whether the end of a worker's log says that Slurm, or the kernel for it, killed it for want of memory."""
    return _MEMORY_KILL.search(log) is not None
