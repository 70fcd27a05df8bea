"""An allocation as a worker inside it sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runyard.execute.slurm.command import ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """What a process knows of the allocation that it runs in.

    Attributes:
        job_id: as Slurm's commands give it: ``123_4``, or ``123`` outside an array.
        array_id: number of the array, or of the job.
        index: in the array; 0 outside one.
        restarts: how often Slurm has queued it again.
        rank: of this process among those that srun started.
        node: name of the node.
        end_s: when its time limit ends it, in seconds since 1970; None where Slurm's variables do not say it.
    """

    job_id: str
    array_id: int
    index: int
    restarts: int
    rank: int
    node: str
    end_s: float | None = None


def allocation_of(environment: Mapping[str, str]) -> Allocation | None:
    """The allocation that these variables tell of; None outside of any."""
    array, index = environment.get("SLURM_ARRAY_JOB_ID"), environment.get("SLURM_ARRAY_TASK_ID")
    job = array if array and index else environment.get("SLURM_JOB_ID")
    if not job:
        return None
    end = environment.get("SLURM_JOB_END_TIME", "")
    return Allocation(
        job_id=f"{array}_{index}" if array and index else job,
        array_id=int(job),
        index=int(index) if array and index else 0,
        restarts=int(environment.get("SLURM_RESTART_COUNT") or 0),
        rank=int(environment.get("SLURM_PROCID") or 0),
        node=environment.get("SLURMD_NODENAME", ""),
        end_s=float(end) if end.isdigit() else None,
    )


def ends_at(allocation: Allocation) -> float | None:
    """When the time limit ends the allocation, in seconds since 1970; None without a limit, or when Slurm is silent.

    Slurm is asked only where its variables did not tell, which those before 23.02 do not.
    """
    if allocation.end_s is not None:
        return allocation.end_s
    answer = ask(["squeue", "-h", "-o", "%e", "-j", allocation.job_id], variables={"SLURM_TIME_FORMAT": "%s"})
    text = answer.out.strip()
    return float(text) if answer.is_good and text.isdigit() else None


def requeue(allocation: Allocation) -> bool:
    """Asks Slurm to end the allocation and queue it again; True when it will. The caller is then about to be killed."""
    return ask(["scontrol", "requeue", allocation.job_id]).is_good
