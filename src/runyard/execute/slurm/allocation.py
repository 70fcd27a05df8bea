"""An allocation as a worker inside it sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """What a process knows of the allocation that it runs in.

    Attributes:
        job_id: as Slurm's commands give it: ``123_4``, or ``123`` outside an array.
        index: in the array; 0 outside one.
        restarts: how often Slurm has queued it again.
        rank: of this process among those that srun started.
        node: name of the node.
    """

    job_id: str
    index: int
    restarts: int
    rank: int
    node: str


def allocation_of(environment: Mapping[str, str]) -> Allocation | None:
    """The allocation that these variables tell of; None outside of any."""
    array, index = environment.get("SLURM_ARRAY_JOB_ID"), environment.get("SLURM_ARRAY_TASK_ID")
    job = array if array and index else environment.get("SLURM_JOB_ID")
    if not job:
        return None
    return Allocation(
        job_id=f"{array}_{index}" if array and index else job,
        index=int(index) if array and index else 0,
        restarts=int(environment.get("SLURM_RESTART_COUNT") or 0),
        rank=int(environment.get("SLURM_PROCID") or 0),
        node=environment.get("SLURMD_NODENAME", ""),
    )
