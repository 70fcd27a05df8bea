"""Submitting arrays to Slurm, all or none; and cancelling their tasks."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runyard.base import StorageError, UsageError, write_all
from runyard.execute.slurm.command import SHOW_CONFIG, SlurmError, run_slurm
from runyard.execute.slurm.offer import SINFO, Nodes, impossible, parse_sinfo, partitions
from runyard.execute.slurm.refusal import refusal
from runyard.execute.slurm.script import FIRST_VARIABLE, WorkerArray, sbatch_script

#: Slurm's own default of MaxArraySize, where it does not tell.
_USUAL_MOST = 1001
_CANCELLED_AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """An array that Slurm has accepted. ``first`` is the number of its first worker among those of what was split."""

    job_id: int
    tasks: int
    first: int


def check_here() -> None:
    """Raises UsageError when this machine cannot submit to Slurm."""
    if shutil.which("sbatch") is None:
        raise UsageError(
            "there is no sbatch on PATH, so this is no machine that submits to Slurm",
            where="hydra/launcher=runyard_slurm",
            todo="log in where sbatch is, or run on this machine with +runyard=local",
        )


def submit_arrays(arrays: Sequence[WorkerArray], *, folder: Path) -> list[list[Submitted]]:
    """Submits arrays; those that are larger than the cluster allows in parts. The scripts are kept in ``folder``.

    Raises:
        UsageError: there is no Slurm, or it refuses one, or one could never start. Those submitted before are
            cancelled, and their scripts removed: nothing is left.
        StorageError: a script cannot be written; nothing is left then either.
    """
    check_here()
    nodes = _nodes()
    for array in arrays:
        if (problem := impossible(array.options, nodes)) is not None:
            raise problem
    most = max_array_size()
    done: list[list[Submitted]] = []
    scripts: list[Path] = []
    try:
        for array in arrays:
            done.append([])
            for part in split(array, most):
                scripts.append(_write(folder, sbatch_script(part)))
                first = int(part.environment.get(FIRST_VARIABLE, "0"))
                done[-1].append(Submitted(job_id=_sbatch(scripts[-1], part, nodes), tasks=part.tasks, first=first))
    except BaseException:
        _undo([str(one.job_id) for group in done for one in group], scripts)
        raise
    return done


def _undo(job_ids: Sequence[str], scripts: Sequence[Path]) -> None:
    for script in scripts:
        with suppress(OSError):
            script.unlink()
    try:
        cancel_tasks(job_ids)
    except UsageError as error:
        raise UsageError(
            f"not all was submitted, and what was could not be cancelled ({error.what})",
            where="Slurm",
            todo=f"scancel {' '.join(job_ids)}",
        ) from error


def split(array: WorkerArray, most: int) -> list[WorkerArray]:
    """The array in parts of at most ``most`` tasks; each part's workers are told how many stand before them.

    Parts share out ``array_parallelism``, so that together they run no more at once than the whole would.
    """
    if array.tasks <= most:
        return [array]
    parts, at_once = [], array.options.array_parallelism
    for first in range(0, array.tasks, most):
        tasks = min(most, array.tasks - first)
        share = max(1, at_once * tasks // array.tasks) if at_once < array.tasks else tasks
        parts.append(
            dataclasses.replace(
                array,
                tasks=tasks,
                options=dataclasses.replace(array.options, array_parallelism=share),
                environment={**array.environment, FIRST_VARIABLE: str(first)},
            )
        )
    return parts


def _sbatch(script: Path, array: WorkerArray, nodes: Sequence[Nodes]) -> int:
    """Submits one script; returns the array's number."""
    try:
        said = run_slurm(["sbatch", "--parsable", str(script)])
    except SlurmError as error:
        raise refusal(error, array.options, partitions(nodes)) from error
    number = said.strip().rpartition("\n")[2].partition(";")[0]
    if not number.isdigit():
        raise UsageError(f"sbatch names no job: {said.strip()!r}", where="sbatch", todo="see whether squeue has it")
    return int(number)


def _write(folder: Path, text: str) -> Path:
    """Keeps a script under the first number that is free: others may write theirs at the same time."""
    number = len(list(folder.glob("script-*.sh")))
    while True:
        path = folder / f"script-{number}.sh"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            number += 1
            continue
        except OSError as exc:
            raise _unwritten(path, exc) from exc
        try:
            write_all(descriptor, text.encode())
        except OSError as exc:
            path.unlink()
            raise _unwritten(path, exc) from exc
        finally:
            os.close(descriptor)
        return path


def _unwritten(path: Path, exc: OSError) -> StorageError:
    return StorageError(str(path), exc.strerror or str(exc), "make room, then submit again")


def _nodes() -> list[Nodes]:
    """What the cluster has; nothing where it does not tell, for sbatch will say what is wrong."""
    try:
        return parse_sinfo(run_slurm(SINFO))
    except SlurmError:
        return []


def max_array_size() -> int:
    """How many tasks an array may have on this cluster."""
    try:
        config = run_slurm(SHOW_CONFIG)
    except SlurmError:  # sbatch will say what is wrong
        config = ""
    found = re.findall(r"(?m)^MaxArraySize\s*=\s*(\d+)|\bmax_array_tasks=(\d+)", config)
    return max(1, min((int(size or tasks) for size, tasks in found), default=_USUAL_MOST))


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
            if error.is_silence or not re.search("invalid job id|already completing", error.said.lower()):
                raise UsageError(f"scancel failed: {error.said}", where="Slurm", todo="try it again") from error
