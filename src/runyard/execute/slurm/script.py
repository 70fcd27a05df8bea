"""The script of an array of workers: what sbatch is given. Pure; submitit makes it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runyard.base import UsageError
from runyard.execute.slurm.options import SlurmOptions

#: in the environment of a worker: the number of its array's first worker, where an array had to be split.
FIRST_VARIABLE = "RUNYARD_FIRST_WORKER"
#: Slurm ends an allocation up to so many seconds before its limit, counted by the script's own clock.
_TOLERANCE_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerArray:
    """Workers that are asked for alike: the tasks of one array of Slurm.

    Attributes:
        name: of the job in Slurm.
        options: what is asked of Slurm.
        tasks: how many workers.
        command: program and arguments that srun starts in each.
        folder: where the logs go: ``<array>_<index>.log``, standard output and errors of all ranks together.
        environment: variables that are set for the command, after the user's setup.
        after: lines of shell that run when the command has ended, after the user's teardown. ``$rc`` is its exit
            code: 128 and the signal's number where one has killed it. ``$told`` is empty, or says that Slurm has
            told the job to end: ``limit`` at its time limit, else ``told`` (scancel, preemption). A line that queues
            the task again must heed it: to queue again what ``scancel`` has ended would undo that.
        requeue: whether Slurm queues a task again after the loss of its node, or preemption.
        dependency: in Slurm's words, such as ``aftercorr:12``.
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
    """The text of the script.

    Raises:
        UsageError: Slurm cannot write logs into a folder of that name, or dependencies contradict each other.
    """
    from submitit.slurm.slurm import _convert_mem, _make_sbatch_string

    options = array.options
    text = _make_sbatch_string(
        command=_command(array),
        folder=array.folder,
        job_name=array.name,
        time=math.ceil(options.timeout_min),
        nodes=options.nodes,
        ntasks_per_node=options.tasks_per_node,
        cpus_per_task=options.cpus_per_task,
        gpus_per_node=options.gpus_per_node,  # type: ignore[arg-type] # a kind and a number is a text
        gpus_per_task=options.gpus_per_task,  # type: ignore[arg-type]
        partition=options.partition,
        account=options.account,
        qos=options.qos,
        setup=list(options.setup) or None,
        teardown=_teardown(array),
        mem=None if options.mem_gb is None else _convert_mem(options.mem_gb),
        mem_per_cpu=options.mem_per_cpu,
        mem_per_gpu=options.mem_per_gpu,
        signal_delay_s=options.signal_delay_s,
        comment=options.comment,
        constraint=options.constraint,
        exclude=options.exclude,
        gres=options.gres,
        nodelist=options.nodelist,
        exclusive=options.exclusive or None,
        array_parallelism=options.array_parallelism,
        wckey=None,  # type: ignore[arg-type] # its own default names itself
        stderr_to_stdout=True,
        map_count=array.tasks,
        additional_parameters=_parameters(array),
        use_srun=False,  # the line is ours: ranks share one log, and srun is told what it does not inherit
    )
    return f"{text}\n"


def log_pattern(folder: Path) -> str:
    """Slurm's pattern for the logs of an array's tasks below a folder.

    Raises:
        UsageError: the folder's name has a character that Slurm gives a meaning of its own.
    """
    name = str(folder.absolute())
    if "\\" in name or not name.isprintable():
        raise UsageError(
            "Slurm cannot write logs below a folder whose name has a backslash or a line break",
            where=name,
            todo="let the sweep's directory lie elsewhere: hydra.sweep.dir",
        )
    return f"{name.replace('%', '%%')}/%A_%a.log"


def _parameters(array: WorkerArray) -> dict[str, Any]:
    """Parameters of sbatch that submitit has no name for, or another opinion on."""
    options = array.options
    found = {key: value for key, value in options.additional_parameters.items() if value is not False}
    found["output"] = log_pattern(array.folder)
    found["requeue" if array.requeue else "no_requeue"] = True
    if options.cpus_per_gpu is not None:  # submitit warns about it without gpus_per_task; Slurm takes it with any
        found["cpus_per_gpu"] = options.cpus_per_gpu
    if not math.ceil(options.timeout_min):
        found["time"] = 0
    if array.dependency:
        found["dependency"] = _both(array.dependency, found.get("dependency"))
    return found


def _both(own: str, users: Any) -> str:
    if not users:
        return own
    if "?" in str(users):
        raise UsageError(
            f"workers wait for {own} besides, and Slurm cannot say 'this, and one of those'",
            where="hydra.launcher.dependency",
            todo="separate dependencies by commas: all of them must hold",
        )
    return f"{own},{users}"


def _command(array: WorkerArray) -> str:
    """Variables, then the command by srun; its exit code goes to ``rc``, also where the user's setup says set -e.

    With a trap the shell outlives Slurm's SIGTERM, which all processes of the job get, until srun has ended: else
    nothing could be said of the worker's end. srun does not hand the trap on to the worker.
    """
    lines = ["told= rc=0", "trap 'told=$SECONDS' TERM"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in array.environment.items()]
    return "\n".join([*lines, f"{shlex.join(_srun(array))} || rc=$?", "trap - TERM", "set +e"])


def _srun(array: WorkerArray) -> list[str]:
    # --export: srun would heed the user's sbatch --export=NONE. --wait: other ranks may end long before the first.
    # --cpus-per-task: srun does not inherit it, from Slurm 22.05 on.
    words = ["srun", "--unbuffered", "--export=ALL", "--wait=0"]
    if array.options.cpus_per_task is not None:
        words.append(f"--cpus-per-task={array.options.cpus_per_task}")
    return [*words, *array.options.srun_args, *array.command]


def _teardown(array: WorkerArray) -> list[str]:
    """What follows the command. The user's part is in a subshell: it cannot end the script, or change ``rc``."""
    limit_s = math.ceil(array.options.timeout_min) * 60
    lines = []
    if limit_s:
        lines.append(f'if [ -n "$told" ] && [ "$told" -ge {limit_s - _TOLERANCE_S} ]; then told=limit; fi')
    lines.append('if [ -n "$told" ] && [ "$told" != limit ]; then told=told; fi')
    if array.options.teardown:
        lines += ["(", *array.options.teardown, ")"]
    return [*lines, *array.after, "exit $rc"]
