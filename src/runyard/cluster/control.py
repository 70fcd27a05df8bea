"""Telling a sweep on a cluster what to do: cancel it, or some of its jobs; and queue what is left of it again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runyard.base import RecordError, State, SweepBusy, SweepState, UsageError
from runyard.cluster.collecting import collect_cluster
from runyard.cluster.frozen import frozen_command, read_tree
from runyard.cluster.launch import by_stage
from runyard.cluster.settings import ClusterSettings, cluster_settings
from runyard.cluster.signs import go_on, say_stop, wish_to_cancel
from runyard.cluster.standing import Observer, Standing
from runyard.cluster.submitting import check_cluster, submit_work
from runyard.cluster.work import Group, Work, read_works
from runyard.execute import cancel_tasks
from runyard.orchestrate import Selection, Submission, brief, launcher_changes, resume_command, thaw
from runyard.record import (
    Claims,
    ControllerLock,
    Holder,
    Journal,
    RunRecord,
    SweepPaths,
    read_sweep,
    replay,
    write_sweep,
)

LAUNCHER = "runyard_slurm"
#: who has claimed a job that is cancelled before it began.
_CANCELLER = Holder(worker="cancel")


def is_on_cluster(sweep_dir: Path) -> bool:
    """Whether a sweep is one of the Slurm launcher; work of it may not have been submitted yet, as after a dry run."""
    if any(SweepPaths(sweep_dir).slurm.glob("work-*.json")):
        return True
    try:
        return read_sweep(sweep_dir).launcher == LAUNCHER
    except RecordError:  # whoever needs the record tells what is wrong with it
        return False


def cancel_cluster(sweep_dir: Path) -> str:
    """Cancels every worker of a sweep; what runs ends as CANCELLED, what has ended is kept. Returns a sentence.

    Raises:
        UsageError: no worker is left.
    """
    check_cluster(sweep_dir, read_works(sweep_dir))
    standing = Observer(sweep_dir, least_s=0.0).look()
    alive = [worker.name for worker in standing.workers if worker.is_alive]
    if not alive:
        raise UsageError(
            "no worker of this sweep runs or waits in the queue",
            where=str(sweep_dir),
            todo="there is nothing to cancel; 'runyard status' tells how it stands",
        )
    say_stop(sweep_dir, "cancelled")  # first: workers look at it to tell a user's wish from a preemption
    cancel_tasks(alive)
    return f"told Slurm to cancel {len(alive)} workers ({_short(alive)}); running jobs get SIGTERM, then SIGKILL"


def _short(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{names[0]} to {names[-1]}"


def cancel_jobs(sweep_dir: Path, jobs: frozenset[int]) -> str:
    """Cancels some jobs of a sweep while the others go on; returns a sentence.

    Jobs that wait are CANCELLED at once; those that run are ended by their workers within seconds.

    Raises:
        UsageError: the sweep has no such job.
    """
    standing = Observer(sweep_dir, least_s=0.0).look()
    runs = {run.job: run for run in standing.status.runs}
    unknown = sorted(jobs - runs.keys())
    if unknown:
        raise UsageError(
            f"the sweep has no job {unknown[0]}", where=str(sweep_dir), todo=f"its jobs are 0 to {max(runs, default=0)}"
        )
    wish_to_cancel(sweep_dir, sorted(jobs))
    waiting = [runs[job] for job in sorted(jobs) if runs[job].state is State.PENDING]
    claims = Claims(SweepPaths(sweep_dir).claims)
    turns = claims.turns()
    caught = [run for run in waiting if claims.take(run.job, turns.get(run.job, 0) + 1, _CANCELLER)]
    lock = ControllerLock(SweepPaths(sweep_dir).lock)
    lock.acquire()
    try:
        with Journal(SweepPaths(sweep_dir).journal) as journal:
            for run in caught:
                journal.append("ended", job=run.job, run=brief(_cancelled(run)))
    finally:
        lock.release()
    running = sum(runs[job].state is State.RUNNING for job in jobs) + len(waiting) - len(caught)
    return f"{len(caught)} waiting jobs are cancelled, {running} running ones are being ended"


def _cancelled(run: RunRecord) -> RunRecord:
    return dataclasses.replace(run, state=State.CANCELLED)


def resubmit(sweep_dir: Path, root: Path | None, select: Selection, changes: Mapping[str, Any]) -> Work | None:
    """Queues what is left of a sweep again; returns the submission, or None when nothing is left.

    Args:
        sweep_dir: the sweep.
        root: where its registry lies, and its frozen code.
        select: which of its jobs.
        changes: settings of the launcher that differ from before.

    Raises:
        SweepBusy: workers are still at work on it.
        UsageError: it cannot be submitted.
    """
    standing = _at_rest(sweep_dir, root)
    submission, works = thaw(sweep_dir), read_works(sweep_dir)
    if submission.entry is None:
        raise RecordError(SweepPaths(sweep_dir).frozen, "it does not say how the application was started")
    runs = Observer(sweep_dir, least_s=0.0).look().status.runs
    taken = frozenset(run.job for run in runs if select.takes(run))
    if not taken:
        return None
    values = {**(works[-1].values if works else _first_values(sweep_dir, submission)), **changes}
    settings = cluster_settings(values)
    _release(sweep_dir, taken, runs)
    go_on(sweep_dir)
    work = submit_work(
        sweep_dir,
        name=f"runyard-{standing.status.record.experiment}",
        root=root or SweepPaths(sweep_dir).snapshot,
        entry=submission.entry,
        settings=settings,
        values=values,
        groups=_needed(by_stage(_groups(works) or _all_alike(settings, runs), settings), taken, runs),
        first=0,
        count=len(runs),
        take=taken,
        attempts={run.job: len(run.attempts) for run in runs if run.attempts},
    )
    write_sweep(
        sweep_dir,
        dataclasses.replace(read_sweep(sweep_dir), state=SweepState.RUNNING, finished_at=None, controller=None),
    )
    return work


def _at_rest(sweep_dir: Path, root: Path | None) -> Standing:
    """How a sweep stands on which nobody works, after writing down what its workers could not.

    Raises:
        SweepBusy: workers are at work on it, or wait in the queue.
    """
    standing = Observer(sweep_dir, least_s=0.0).look()
    alive = [worker.name for worker in standing.workers if worker.is_alive]
    if alive:
        raise SweepBusy(
            f"workers are at work on this sweep, or wait in Slurm's queue: {_short(alive)}"
            + (f" ({standing.unsure})" if standing.unsure else ""),
            where=str(sweep_dir),
            todo="wait for them with 'runyard wait', or cancel them with 'runyard cancel'",
        )
    collect_cluster(sweep_dir, root, standing)
    return standing


def _groups(works: list[Work]) -> list[Group]:
    """The jobs by what they ask for, over all submissions that were made for new jobs."""
    found: dict[str, tuple[Group, list[int]]] = {}
    for work in works:
        if work.take is None:
            first = next((group.stage for group in work.groups), None)
            for number, group in enumerate(work.groups):
                if group.stage != first:
                    continue
                found.setdefault(str(group.resources), (group, []))[1].extend(work.jobs_of(number))
    return [Group(resources=group.resources, workers=1, jobs=tuple(sorted(jobs))) for group, jobs in found.values()]


def _first_values(sweep_dir: Path, submission: Submission) -> Mapping[str, Any]:
    """Settings of a sweep that was planned and never submitted.

    Raises:
        UsageError: its jobs must be composed to tell what they ask for, or not all are planned.
    """
    ledger = replay(SweepPaths(sweep_dir).journal, ("submitted", "planned"))
    jobs = cluster_settings(submission.launcher).jobs
    if jobs.rules or jobs.resources_from or ledger.planned < ledger.submitted:
        raise UsageError(
            "this sweep was never submitted to Slurm, and it takes the application to tell what its jobs ask for",
            where=str(sweep_dir),
            todo="run its command again, without hydra.sweeper.dry_run",
        )
    return submission.launcher


def _all_alike(settings: ClusterSettings, runs: Sequence[RunRecord]) -> list[Group]:
    return [Group(resources=settings.jobs.resources.to_json(), workers=1, jobs=tuple(run.job for run in runs))]


def _needed(groups: Sequence[Group], taken: frozenset[int], runs: Sequence[RunRecord]) -> list[Group]:
    """Groups with the jobs that still lack their stage."""
    done = {(run.job, name) for run in runs for name, stage in run.stages.items() if stage.state is State.COMPLETED}
    return [
        dataclasses.replace(
            group, jobs=tuple(job for job in group.jobs or () if job in taken and (job, group.stage) not in done)
        )
        for group in groups
    ]


def _release(sweep_dir: Path, jobs: frozenset[int], runs: Any) -> None:
    """Frees jobs whose last claim nobody can give back any more: its worker is gone and they never began."""
    claims = Claims(SweepPaths(sweep_dir).claims)
    attempts = {run.job: len(run.attempts) for run in runs}
    for job, turn in claims.turns().items():
        if job in jobs:
            holder = claims.holder(job, turn)
            if holder is None or holder.attempts >= attempts.get(job, 0):
                claims.give_back(job, turn)


def changes_of(overrides: Sequence[str]) -> dict[str, Any]:
    """Settings of the launcher from ``hydra.launcher.<key>=<value>``.

    Raises:
        UsageError: it is none. A key that is not known is refused where it is used: sbatch knows more of them.
    """
    return launcher_changes(overrides, None)


def local_command(
    sweep_dir: Path, root: Path | None, select: Selection, overrides: Sequence[str]
) -> tuple[list[str], dict[str, str], str]:
    """The command that runs on this machine what is left of a sweep: arguments, environment, working directory.

    It runs the frozen code. What the sweep asked of Slurm does not hold there; how jobs are run does.

    Raises:
        SweepBusy: workers are still at work on it.
        UsageError: it cannot be resumed.
    """
    _at_rest(sweep_dir, root)
    argv, environment, cwd = resume_command(sweep_dir, select=select, overrides=overrides)
    submission, tree = thaw(sweep_dir), read_tree(sweep_dir)
    if submission.entry is None or tree is None:
        return argv, environment, cwd
    given = argv[argv.index("runyard.orchestrate") + 1 :]
    return [*frozen_command(submission.entry, tree, "runyard.cluster.here", "start"), *given], environment, cwd
