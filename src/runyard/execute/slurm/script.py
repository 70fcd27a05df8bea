"""The script that sbatch gets. Pure but for loading submitit, which writes it."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runyard.execute.slurm.options import SlurmOptions

#: tells a worker of an array that was split how many workers stand in the parts before its own.
FIRST_VARIABLE = "RUNYARD_FIRST_WORKER"
_OF_SUBMITIT = (
    "partition",
    "account",
    "qos",
    "nodes",
    "cpus_per_task",
    "cpus_per_gpu",
    "gpus_per_node",
    "gpus_per_task",
    "gres",
    "mem_per_cpu",
    "mem_per_gpu",
    "constraint",
    "exclude",
    "nodelist",
    "exclusive",
    "comment",
    "mail_type",
    "mail_user",
    "array_parallelism",
    "signal_delay_s",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerArray:
    """An array of like workers.

    ``command`` runs under srun in each task; ``after`` are lines of shell for when it is over, with its exit code in
    ``$rc``, with which the script ends. Standard output and error go to ``<folder>/<array>_<task>.log``.
    ``environment`` is set before the command.
    """

    name: str
    options: SlurmOptions
    tasks: int
    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    requeue: bool = True
    dependency: str | None = None


def sbatch_script(array: WorkerArray) -> str:
    """The text of the script."""
    from submitit.slurm.slurm import _make_sbatch_string  # the field's library knows how options are written

    options = array.options
    given = {key: getattr(options, key) for key in _OF_SUBMITIT if getattr(options, key) is not None}
    log = f"{array.folder}/%A_%a.log"
    more: dict[str, Any] = {key.replace("_", "-"): value for key, value in options.additional_parameters.items()}
    text: str = _make_sbatch_string(
        command=shlex.join(array.command),
        folder=array.folder,
        job_name=array.name,
        time=options.timeout_min,
        ntasks_per_node=options.tasks_per_node,
        mem=None if options.mem_gb is None else f"{round(options.mem_gb * 1000)}M",
        wckey=options.wckey or "",
        map_count=array.tasks,
        stderr_to_stdout=True,
        setup=[*(f"export {name}={shlex.quote(value)}" for name, value in array.environment.items()), *options.setup],
        teardown=["rc=$?", *array.after, *options.teardown, "exit $rc"],
        srun_args=["--output", log, "--open-mode", "append", *options.srun_args],
        dependency=array.dependency,
        additional_parameters={"output": log, "requeue" if array.requeue else "no-requeue": True, **more},
        **given,
    )
    return (
        "\n".join(line for line in text.splitlines() if not line.startswith("#SBATCH --wckey=") or options.wckey) + "\n"
    )


def split(array: WorkerArray, most: int) -> list[WorkerArray]:
    """The array in parts of at most ``most`` tasks; each part's workers are told how many stand before them."""
    parts = []
    for first in range(0, array.tasks, most):
        told = {**array.environment, FIRST_VARIABLE: str(first)} if array.tasks > most else array.environment
        parts.append(dataclasses.replace(array, tasks=min(most, array.tasks - first), environment=told))
    return parts
