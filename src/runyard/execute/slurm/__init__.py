"""Slurm's commands: what to ask of them, and what they say. Knows neither sweeps nor run files."""

from runyard.execute.slurm.allocation import Allocation, allocation_of
from runyard.execute.slurm.command import SlurmError, current_cluster
from runyard.execute.slurm.options import SLURM_KEYS, SlurmOptions, slurm_options
from runyard.execute.slurm.query import SlurmTask, TaskState, memory_kill_in, task_of
from runyard.execute.slurm.script import FIRST_VARIABLE, WorkerArray, sbatch_script
from runyard.execute.slurm.submission import Submitted, cancel_tasks, check_here, submit_arrays
from runyard.execute.slurm.watch import SlurmWatch

__all__ = [
    "FIRST_VARIABLE",
    "SLURM_KEYS",
    "Allocation",
    "SlurmError",
    "SlurmOptions",
    "SlurmTask",
    "SlurmWatch",
    "Submitted",
    "TaskState",
    "WorkerArray",
    "allocation_of",
    "cancel_tasks",
    "check_here",
    "current_cluster",
    "memory_kill_in",
    "sbatch_script",
    "slurm_options",
    "submit_arrays",
    "task_of",
]
