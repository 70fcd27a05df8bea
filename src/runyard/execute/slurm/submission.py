"""Submitting arrays to Slurm, all or none; and cancelling their tasks."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runyard.base import StorageError, UsageError, write_text
from runyard.execute.slurm.command import SlurmError, run_slurm
from runyard.execute.slurm.script import FIRST_VARIABLE, WorkerArray, sbatch_script

#: Slurm's own default of MaxArraySize, where it does not tell.
_USUAL_MOST = 1001
_CANCELLED_AT_ONCE = 200
#: what sbatch says, the key that it is about, and what to do.
_FAULTS = (
    ("invalid partition", "partition", "the partitions are: {partitions}"),
    ("partition node limit", "nodes", "ask for fewer nodes; the partitions are: {partitions}"),
    ("invalid account", "account", "name an account that you may use: sacctmgr show assoc user=$USER"),
    ("invalid qos", "qos", "name a QOS that you may use: sacctmgr show qos"),
    ("memory specification", "mem_gb", "ask for less; nodes have (MB): {memory}"),
    ("invalid feature", "constraint", "name a feature that nodes have: sinfo -o '%N %f'"),
    ("generic resource", "gpus_per_node", "ask for what nodes have: sinfo -o '%N %G'"),
    ("time limit", "timeout_min", "ask for less time; the limits are: sinfo -o '%P %l'"),
    ("node count", "nodes", "ask for fewer nodes: sinfo -o '%P %D'"),
    ("node configuration", "mem_gb, cpus_per_task, gpus_per_node or nodes", "ask for what a node has: {nodes}"),
)
_NODES = ("sinfo", "-h", "-o", "%D of %c cpus, %m MB, %G")


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """An array that Slurm has accepted. ``first`` is the number of its first worker among those of what was split."""

    job_id: int
    tasks: int
    first: int


def submit_arrays(arrays: Sequence[WorkerArray], *, folder: Path) -> list[list[Submitted]]:
    """Submits arrays; those that are larger than the cluster allows in parts. The scripts are kept in ``folder``.

    ``sbatch --test-only`` looks at each before the first is submitted: it knows of requests that would wait for ever.

    Raises:
        UsageError: there is no Slurm, or it refuses one. Those submitted before are cancelled: nothing is left.
        StorageError: a script cannot be written.
    """
    if shutil.which("sbatch") is None:
        raise UsageError(
            "there is no sbatch on PATH, so this is no machine that submits to Slurm",
            where="hydra/launcher=runyard_slurm",
            todo="log in where sbatch is, or run on this machine with +runyard=local",
        )
    most = max_array_size()
    parts = [split(array, most) for array in arrays]
    number = len(list(folder.glob("script-*.sh")))
    scripts: list[list[Path]] = []
    for group in parts:
        scripts.append([])
        for part in group:
            scripts[-1].append(_write(folder / f"script-{number}.sh", sbatch_script(part)))
            number += 1
    for paths in scripts:
        _ask(["sbatch", "--test-only", str(paths[0])])
    return _submit(parts, scripts)


def split(array: WorkerArray, most: int) -> list[WorkerArray]:
    """The array in parts of at most ``most`` tasks; each part's workers are told how many stand before them."""
    parts = []
    for first in range(0, array.tasks, most):
        told = {**array.environment, FIRST_VARIABLE: str(first)} if array.tasks > most else array.environment
        parts.append(dataclasses.replace(array, tasks=min(most, array.tasks - first), environment=told))
    return parts


def _submit(parts: Sequence[Sequence[WorkerArray]], scripts: Sequence[Sequence[Path]]) -> list[list[Submitted]]:
    done: list[list[Submitted]] = []
    try:
        for group, paths in zip(parts, scripts, strict=True):
            done.append([])
            first = 0
            for part, path in zip(group, paths, strict=True):
                job_id = _job_id(_ask(["sbatch", "--parsable", str(path)]))
                done[-1].append(Submitted(job_id=job_id, tasks=part.tasks, first=first))
                first += part.tasks
    except BaseException:
        cancel_tasks([str(one.job_id) for group in done for one in group])
        raise
    return done


def _ask(argv: list[str]) -> str:
    try:
        return run_slurm(argv)
    except SlurmError as error:
        raise _refused(error) from error


def _job_id(text: str) -> int:
    return int(text.strip().splitlines()[-1].partition(";")[0])


def _write(path: Path, text: str) -> Path:
    try:
        write_text(path, text)
    except OSError as exc:
        raise StorageError(str(path), exc.strerror or str(exc), "make room, then submit again") from exc
    return path


def _refused(error: SlurmError) -> UsageError:
    """What sbatch said, about which key, and what to do."""
    said = re.sub(r"(?m)^(sbatch|allocation failure): (error: )?", "", error.said).replace("\n", "; ")
    for words, key, todo in _FAULTS:
        if words in said.lower():
            return UsageError(f"Slurm refuses the sweep: {said}", where=f"hydra.launcher.{key}", todo=_filled(todo))
    return UsageError(
        f"Slurm refuses the sweep: {said}",
        where="hydra.launcher",
        todo="nothing was submitted; change what is asked for",
    )


def _filled(todo: str) -> str:
    if "{partitions}" in todo:
        return todo.format(partitions=_words("sinfo", "-h", "-o", "%P"))
    if "{memory}" in todo:
        return todo.format(memory=_words("sinfo", "-h", "-o", "%m"))
    return todo.format(nodes="; ".join(sorted(set(_lines(_NODES))))) if "{nodes}" in todo else todo


def _words(*argv: str) -> str:
    return ", ".join(sorted({line.strip().rstrip("*+") for line in _lines(argv)}))


def _lines(argv: Sequence[str]) -> list[str]:
    try:
        return run_slurm(argv).split("\n")[:-1]
    except SlurmError:
        return ["(sinfo does not tell)"]


def max_array_size() -> int:
    """How many tasks an array may have on this cluster."""
    try:
        found = re.search(r"(?m)^MaxArraySize\s*=\s*(\d+)", run_slurm(["scontrol", "show", "config"]))
    except SlurmError:
        found = None
    return max(1, int(found.group(1)) if found else _USUAL_MOST)


def cancel_tasks(job_ids: Sequence[str], *, signal: str | None = None) -> None:
    """Cancels tasks, or sends them a signal; those that have ended are passed over.

    Raises:
        UsageError: Slurm does not answer.
    """
    for start in range(0, len(job_ids), _CANCELLED_AT_ONCE):
        words = ["scancel", *(["--signal", signal] if signal else []), *job_ids[start : start + _CANCELLED_AT_ONCE]]
        try:
            run_slurm(words)
        except SlurmError as error:
            if error.is_silence or "invalid job id" not in error.said.lower():
                raise UsageError(f"scancel failed: {error.said}", where="Slurm", todo="try it again") from error
