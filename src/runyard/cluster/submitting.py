"""Submitting: workers for the jobs of a sweep, as arrays of Slurm."""

from __future__ import annotations

import dataclasses
import math
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runyard.base import UsageError
from runyard.cluster.frozen import freeze_tree, frozen_command
from runyard.cluster.settings import ClusterSettings
from runyard.cluster.work import Array, Group, Work, cluster_of, keep_work, read_works
from runyard.cluster.worker import AGAIN
from runyard.execute import Resources, SlurmError, WorkerArray, cancel_tasks, current_cluster, submit_arrays
from runyard.pipeline import ELSEWHERE_VARIABLE
from runyard.record import Entry, FrozenCode, SweepPaths

#: workers where the user has not said how many: enough to be quick, and few enough to be started soon.
_WORKERS = 16


def submit_work(
    sweep_dir: Path,
    *,
    name: str,
    root: Path,
    entry: Entry,
    settings: ClusterSettings,
    values: Mapping[str, Any],
    groups: Sequence[Group],
    first: int,
    count: int,
    take: frozenset[int] | None = None,
    attempts: Mapping[int, int] | None = None,
) -> Work:
    """Freezes the code and submits workers; returns the submission, which is on disk by then.

    Args:
        sweep_dir: the sweep; its jobs are planned and frozen.
        name: of the jobs in Slurm.
        root: where frozen code is kept, which sweeps share.
        entry: how the application was started.
        settings: of the launcher.
        values: the same as keys and values.
        groups: jobs that ask for the same; how many workers they get is found here.
        first: number of the first job of this submission.
        count: how many jobs it is made for.
        take: those of them that are to run; None for all that are not COMPLETED.
        attempts: those that jobs have had, by number.

    Raises:
        UsageError: Slurm refuses it, or is not there, or the code is too large; nothing is submitted then.
        StorageError: the disk is full.
    """
    works, here = read_works(sweep_dir), _this_cluster()
    check_cluster(sweep_dir, works, here)
    tree = freeze_tree(sweep_dir, entry, root=root, most_mb=settings.snapshot_mb)
    for folder in (SweepPaths(sweep_dir).slurm, SweepPaths(sweep_dir).claims, SweepPaths(sweep_dir).parts):
        folder.mkdir(exist_ok=True)
    work = _with_workers(
        Work(
            number=len(works),
            first=first,
            count=count,
            values=values,
            groups=tuple(groups),
            cluster=here,
            take=take,
            attempts=attempts or {},
        ),
        settings,
    )
    keep_work(sweep_dir, work)  # workers read it, and may begin before Slurm has told their numbers
    accepted: list[Array] = []
    try:
        for number in range(len(work.groups)):
            if work.jobs_of(number):
                array = _array(sweep_dir, work, number, name, entry, tree, settings)
                accepted += _submit(_after_its_training(array, work.groups, number, accepted), number)
        work = dataclasses.replace(work, arrays=tuple(accepted))
        keep_work(sweep_dir, work)
    except BaseException:
        cancel_tasks([str(array.job_id) for array in accepted])
        (SweepPaths(sweep_dir).slurm / f"work-{work.number}.json").unlink(missing_ok=True)
        raise
    return work


def _this_cluster() -> str:
    try:
        return current_cluster()
    except SlurmError as error:
        raise UsageError(
            f"Slurm does not answer: {error.said}", where="scontrol", todo="try again: see sinfo"
        ) from error


def check_cluster(sweep_dir: Path, works: Sequence[Work], here: str | None = None) -> None:
    """Refuses to tell this cluster anything of a sweep that was submitted to another.

    Args:
        sweep_dir: the sweep.
        works: its submissions.
        here: this cluster, for whoever has asked.

    Raises:
        UsageError: it is another: it has other jobs by the same numbers.
    """
    there = cluster_of(works)
    if there is not None and there != (here or _this_cluster()):
        raise UsageError(
            f"the sweep was submitted to another cluster than this, {there}",
            where=str(sweep_dir),
            todo="log in there",
        )


def _with_workers(work: Work, settings: ClusterSettings) -> Work:
    """The submission with as many workers for each group as its jobs get."""
    counts = [_workers(len(work.jobs_of(number)), settings) for number in range(len(work.groups))]
    groups = [dataclasses.replace(group, workers=count) for group, count in zip(work.groups, counts, strict=True)]
    return dataclasses.replace(work, groups=tuple(groups))


def _submit(array: WorkerArray, group: int) -> list[Array]:
    (parts,) = submit_arrays([array], folder=array.folder)
    return [Array(job_id=part.job_id, group=group, first=part.first, tasks=part.tasks) for part in parts]


def _after_its_training(
    array: WorkerArray, groups: Sequence[Group], number: int, accepted: Sequence[Array]
) -> WorkerArray:
    """The workers of a later stage wait for those of the stage before it, each for the one of its own jobs."""
    group = groups[number]
    if not group.before:
        return array
    earlier = [
        one.job_id
        for one in accepted
        if groups[one.group].stage == group.before[-1] and groups[one.group].resources == group.resources
    ]
    if not earlier:
        return array
    kind = "aftercorr" if len(earlier) == 1 else "afterany"  # parts of a split array have no like elements
    more = {**array.options.additional_parameters, "kill_on_invalid_dep": "yes"}
    return dataclasses.replace(
        array,
        options=dataclasses.replace(array.options, additional_parameters=more),
        dependency=":".join([kind, *map(str, earlier)]),
    )


def _workers(jobs: int, settings: ClusterSettings) -> int:
    """How many array tasks so many jobs get."""
    least = math.ceil(jobs / settings.max_tasks_per_job) if settings.max_tasks_per_job else 0
    return max(min(jobs, settings.workers or _WORKERS), least)


def _array(
    sweep_dir: Path, work: Work, number: int, name: str, entry: Entry, tree: FrozenCode, settings: ClusterSettings
) -> WorkerArray:
    group = work.groups[number]
    options = settings.options_for(Resources(**group.resources), group.stage)
    at_once = min(options.array_parallelism, settings.workers or options.array_parallelism)
    command = frozen_command(entry, tree, "runyard.cluster.worker", "main", python=settings.slurm.python)
    return WorkerArray(
        name=name,
        options=dataclasses.replace(options, array_parallelism=at_once),
        tasks=group.workers,
        command=(*command, str(sweep_dir), str(work.number), str(number)),
        folder=SweepPaths(sweep_dir).slurm,
        environment={**_environment(tree), **_elsewhere(group, settings)},
        requeue=settings.max_requeues > 0,
        after=_after(SweepPaths(sweep_dir).slurm, settings.max_requeues),
    )


def _elsewhere(group: Group, settings: ClusterSettings) -> dict[str, str]:
    """Which stages the jobs of a worker do not run."""
    others = [name for name, _ in settings.stages if name != group.stage]
    return {ELSEWHERE_VARIABLE: ",".join(others)} if group.stage is not None else {}


def _environment(tree: FrozenCode) -> dict[str, str]:
    """Programs that a job starts are to find the frozen code as well."""
    path = os.environ.get("PYTHONPATH")
    if not path:
        return {}
    return {"PYTHONPATH": os.pathsep.join(tree.sys_path([part for part in path.split(os.pathsep) if part]))}


def _after(folder: Path, max_requeues: int) -> tuple[str, ...]:
    """What the batch script does when the worker's process is gone: tells it, and queues the task again.

    A worker asks for that when its allocation is about to end; one that a signal has killed cannot ask. What scancel
    has ended stays ended, and what was preempted Slurm queues again by itself.
    """
    # Not SLURM_JOB_ID: of one task of an array that is the number of the whole array.
    task = '"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"'
    end = f"{shlex.quote(str(folder))}/{task}.end"
    restarts = "${SLURM_RESTART_COUNT:-0}"
    return (
        f'echo "$rc {restarts}" > {end}.new && mv {end}.new {end}',
        f'if [ "$rc" -eq {AGAIN} ] || {{ [ "$rc" -gt 128 ] && [ "{restarts}" -lt {max_requeues} ]; }}; then',
        f'    [ "$told" = told ] || {{ scontrol requeue {task} && sleep 60; }}',
        "fi",
    )
