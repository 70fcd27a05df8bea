"""The program of a worker: an array task that runs jobs of a sweep, one after another, until none is left for it.

The application is started once, from the frozen code, up to its call of ``hydra.main``; each job is forked from there.
"""

from __future__ import annotations

import atexit
import dataclasses
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from runyard.base import FAILURES, RunyardError, State, UsageError
from runyard.cluster.feed import GIVEN_BACK, ClaimFeed, Rules, planned_jobs
from runyard.cluster.frozen import read_tree
from runyard.cluster.reclaim import Reclaim
from runyard.cluster.settings import ClusterSettings, cluster_settings
from runyard.cluster.signs import Pulse, cancelled_jobs, is_stopped, say_stop
from runyard.cluster.vitals import Vitals
from runyard.cluster.work import Work, read_work
from runyard.compose import CapturedApplication, run_captured
from runyard.execute import FIRST_VARIABLE, FOLDER_VARIABLE, Allocation, Slots, allocation_of, end_process
from runyard.orchestrate import Execution, Hooks, Outcomes, PlannedJob, ReturnedFiles, finish, thaw, thawed
from runyard.record import Entry, Holder, Journal, RunRecord, SweepPaths, read_runs, replay

#: exit codes: some job did not complete; the allocation ends before the work does, and is to be queued again.
SOME_FAILED, AGAIN = 1, 75
_RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Where a worker stands: which of the ``group``'s workers of which submission, in which allocation."""

    sweep_dir: Path
    work: Work
    group: int
    lane: int
    allocation: Allocation
    settings: ClusterSettings

    @property
    def me(self) -> Holder:
        """Its name and life."""
        return Holder(worker=self.allocation.job_id, restarts=self.allocation.restarts)


def main() -> NoReturn:
    """Runs the worker that this process was started as, and ends the process."""
    sweep_dir, number, group = sys.argv[1:4]
    allocation = allocation_of(os.environ)
    if allocation is None:
        sys.stderr.write("runyard: this is the program of a Slurm job, and there is none\n")
        end_process(os.EX_USAGE)
    if allocation.rank > 0:
        end_process(0)  # the first rank alone runs jobs and writes records
    try:
        work = read_work(Path(sweep_dir), int(number))
        post = Post(
            sweep_dir=Path(sweep_dir),
            work=work,
            group=int(group),
            lane=int(os.environ.get(FIRST_VARIABLE, "0")) + allocation.index,
            allocation=allocation,
            settings=cluster_settings(work.values),
        )
        _start(post)
    except RunyardError as error:
        sys.stderr.write(f"{error}\n")
        end_process(SOME_FAILED)
    end_process(os.EX_SOFTWARE)  # not reached: the process has ended inside the application


def _start(post: Post) -> None:
    submission = thaw(post.sweep_dir)
    if submission.entry is None:
        raise UsageError("the sweep was not started as a program", where=str(post.sweep_dir))
    entry = moved_entry(submission.entry, post.sweep_dir)
    os.chdir(entry.cwd)
    sys.argv[1:] = []

    def inside(captured: CapturedApplication) -> NoReturn:
        code = os.EX_SOFTWARE
        try:
            execution = thawed(
                post.sweep_dir,
                dataclasses.replace(submission, entry=entry),
                captured,
                dataclasses.replace(post.settings.jobs, fail_fast=False, max_failures=None),  # it counts for the sweep
                post.work.values,
            )
            code = run_worker(post, execution)
        except RunyardError as error:
            sys.stderr.write(f"{error}\n")
            code = SOME_FAILED
        finally:
            end_process(code)  # what follows the application's main function is not the worker's

    run_captured(entry.kind, entry.target, entry.args, inside, folder=entry.folder)


def moved_entry(entry: Entry, sweep_dir: Path) -> Entry:
    """How the frozen application is started."""
    tree = read_tree(sweep_dir)
    if tree is None:
        return entry
    if entry.kind == "module":
        return dataclasses.replace(entry, folder=tree.moved(entry.cwd))
    return dataclasses.replace(entry, target=tree.moved(os.path.join(entry.cwd, entry.target)))


def run_worker(post: Post, execution: Execution) -> int:
    """Runs jobs until none is left for this worker; returns its exit code."""
    paths, settings, me = SweepPaths(post.sweep_dir), post.settings, post.me
    # Slurm has lent this allocation its devices; other sweeps on the machine have others, by the same numbers.
    devices = tempfile.mkdtemp(prefix="runyard-devices-")
    os.environ[FOLDER_VARIABLE] = devices
    atexit.register(shutil.rmtree, devices, ignore_errors=True)
    numbers = post.work.jobs_of(post.group)
    jobs = planned_jobs(post.sweep_dir, execution.jobs.names, numbers)
    vitals = Vitals(post.sweep_dir)
    part = paths.parts / f"{me.worker}.jsonl"
    with Journal(part) as journal:
        journal.append(
            "worker", worker=me.worker, restarts=me.restarts, node=post.allocation.node, pid=os.getpid(), lane=post.lane
        )
        feed = ClaimFeed(
            post.sweep_dir,
            post.work,
            jobs,
            lane=post.lane,
            lanes=post.work.groups[post.group].workers,
            me=me,
            journal=journal,
            rules=Rules(
                is_dead=vitals.is_dead,
                cause=vitals.cause,
                max_requeues=settings.max_requeues,
                most=settings.max_tasks_per_job,
                stage=post.work.groups[post.group].stage,
                before=post.work.groups[post.group].before,
            ),
        )
        delay_s, grace_s = settings.slurm.signal_delay_s, settings.jobs.grace_s
        with Reclaim(post.sweep_dir, signal_delay_s=delay_s, grace_s=grace_s) as stop:
            outcomes = execution.run_feed(
                feed,
                _slots(settings),
                journal,
                stop,
                _hooks(post, stop),
                returned=ReturnedFiles(paths.slurm / _RETURNED),
            )
        feed.give_back()
    _finish_if_over(execution, post)
    return _exit_code(post, outcomes, part)


def _slots(settings: ClusterSettings) -> Slots:
    """The room in this allocation."""
    cpus = os.environ.get("SLURM_CPUS_PER_TASK") or os.environ.get("SLURM_CPUS_ON_NODE") or ""
    return Slots.of_machine(
        n_jobs=settings.jobs.n_jobs,
        cpus=int(cpus) if cpus.isdigit() else None,
        counts_cpus=settings.jobs.counts_cpus,
        gpus=settings.jobs.gpus,
        environment=os.environ,
    )


def _hooks(post: Post, stop: Reclaim) -> Hooks:
    pulse = Pulse(post.sweep_dir, post.me.worker, restarts=post.me.restarts, node=post.allocation.node)
    failures = post.settings.jobs.stop

    def turn(running: Sequence[tuple[PlannedJob, float]]) -> None:
        if pulse.beat([job.job for job, _ in running]):
            stop.jobs = cancelled_jobs(post.sweep_dir)

    def ended(record: RunRecord) -> None:
        state = f" in {record.seconds:.3g} s" if record.seconds is not None else ""
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} job {record.job} {record.state}{state}\n")
        if failures.max_failures is not None and record.state is not State.COMPLETED:
            runs = replay(SweepPaths(post.sweep_dir).journal, ("ended",)).runs.values()
            if failures.is_reached(sum(run["state"] not in _NO_FAILURE for run in runs)):
                say_stop(post.sweep_dir, "failures")

    return Hooks(ended=ended, turn=turn)


_NO_FAILURE = frozenset({State.COMPLETED.value, *(state.value for state in GIVEN_BACK)})


def _finish_if_over(execution: Execution, post: Post) -> None:
    """The last worker makes the sweep's files; of several that take themselves for the last, one does."""
    runs = read_runs(post.sweep_dir)
    if any(run.state in (State.PENDING, State.RUNNING, *GIVEN_BACK) for run in runs):
        return
    attempts = sum(len(run.attempts) for run in runs)
    try:
        mark = SweepPaths(post.sweep_dir).slurm / f"finished-{attempts}"
        os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
    except FileExistsError:
        return
    finish(execution.opened)


def _exit_code(post: Post, outcomes: Outcomes, part: Path) -> int:
    work, runs = post.work, read_runs(post.sweep_dir)
    if outcomes.interrupted and not is_stopped(post.sweep_dir, "cancelled"):
        wanted = {job for group in range(len(work.groups)) for job in work.jobs_of(group)}
        if any(run.job in wanted and run.state in (State.PENDING, *GIVEN_BACK) for run in runs):
            return AGAIN
    group = work.groups[post.group]
    if group.stage is not None and group.stage != post.settings.stages[-1][0]:
        return 0  # what failed here, the worker of the last stage tells: only then it has the others of its lane
    own = set(replay(part, ("ended",)).runs)
    if group.stage is not None:
        own.update(work.jobs_of(post.group)[post.lane :: group.workers])
    failed = any(run.job in own and run.state in (State.CANCELLED, *FAILURES) for run in runs)
    return SOME_FAILED if failed and post.settings.fail_allocation else 0
