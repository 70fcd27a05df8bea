"""States of tasks, and what Slurm's commands print of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

#: what is asked of squeue: array job, array task, state, restarts, node, reason.
SQUEUE_FORMAT = "ArrayJobID:|,ArrayTaskID:|,State:|,RestartCnt:|,NodeList:|,Reason:"
SACCT_FIELDS = "JobID,State,ExitCode,NodeList,Restarts"


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
    """Tasks by id from ``sacct -n --parsable2`` with ``SACCT_FIELDS``; of several lives of a task the last."""
    found: dict[str, SlurmTask] = {}
    for line in text.splitlines():
        parts = line.split("|")
        if len(parts) < 4 or "." in parts[0]:
            continue
        job, _, task = parts[0].partition("_")
        restarts = int(parts[4]) if len(parts) > 4 and parts[4].isdigit() else 0
        node = "" if parts[3].startswith("None") else parts[3]
        for name in task_ids(job, task):
            found[name] = SlurmTask(id=name, state=state_of(parts[1]), node=node, restarts=restarts)
    return found


def parse_scontrol(text: str) -> dict[str, SlurmTask]:
    """Tasks by id from ``scontrol show job -o``."""
    found: dict[str, SlurmTask] = {}
    for line in text.splitlines():
        values = dict(re.findall(r"(\w+)=(\S*)", line))
        job = values.get("ArrayJobId") or values.get("JobId")
        if not job:
            continue
        restarts = int(values.get("Restarts", "0") or 0)
        state = state_of(values.get("JobState", ""))
        if state is TaskState.QUEUED and restarts:
            state = TaskState.REQUEUED
        reason = values.get("Reason", "")
        for name in task_ids(job, values.get("ArrayTaskId", "")):
            found[name] = SlurmTask(
                id=name,
                state=state,
                reason="" if reason == "None" else reason,
                node=values.get("NodeList", "").replace("(null)", ""),
                restarts=restarts,
            )
    return found


def memory_kill_in(log: str) -> bool:
    """Whether the end of a worker's log says that Slurm, or the kernel for it, killed it for want of memory."""
    return re.search(r"(?i)oom[-_ ]kill|exceeded (job |step )?memory limit|out of memory", log) is not None
