"""What a worker knows of its own allocation, from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """``job_id`` as Slurm names the task of an array (``12_3``); ``restarts`` counts how often it was queued again.

    ``rank`` is the process's number among those of the allocation's step, ``node`` Slurm's name of the machine.
    """

    job_id: str
    index: int
    restarts: int
    rank: int
    node: str


def allocation_of(environment: Mapping[str, str]) -> Allocation | None:
    """The allocation that a process with these variables runs in; None outside of one."""
    array, index = environment.get("SLURM_ARRAY_JOB_ID"), environment.get("SLURM_ARRAY_TASK_ID")
    job = f"{array}_{index}" if array and index else environment.get("SLURM_JOB_ID")
    if not job:
        return None
    return Allocation(
        job_id=job,
        index=int(index or 0),
        restarts=int(environment.get("SLURM_RESTART_COUNT") or 0),
        rank=int(environment.get("SLURM_PROCID") or 0),
        node=environment.get("SLURMD_NODENAME", ""),
    )
