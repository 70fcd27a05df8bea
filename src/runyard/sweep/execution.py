"""The use case: plan, freeze, run, record, finish; for a new sweep and for one that is taken up again."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra.core.utils import setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from runyard.base import TERMINAL, InterruptedSweep, State, StorageError, SweepState
from runyard.compose import Composer
from runyard.execute import LocalPool, Slots, threads_at_fork, usable_cpus, usable_gpus
from runyard.record import Attempt, ControllerLock, Journal, RunRecord, controller_identity, replay
from runyard.sweep.closing import closing_lines, reference
from runyard.sweep.controller import Controller, Hooks, Outcomes
from runyard.sweep.finish import finish, index
from runyard.sweep.opening import OpenSweep, open_sweep
from runyard.sweep.planning import Plan, PlannedJob, extend_plan, freeze, submission_of
from runyard.sweep.progress import ProgressReporter
from runyard.sweep.returns import JobReturns
from runyard.sweep.running import JobFacts
from runyard.sweep.settings import LauncherSettings
from runyard.sweep.stop import StopSignal
from runyard.sweep.worker import Worker

#: how often the registry and ``sweep.json`` follow a running sweep, in seconds.
_INDEX_EVERY_S = 1.0
_SAVE_EVERY_S = 5.0


@dataclass(slots=True)
class Application:
    """What Hydra gives a launcher: the task, the context, and the sweep's own config."""

    task_function: TaskFunction
    context: HydraContext
    config: DictConfig


@dataclass(slots=True)
class Execution:
    """One sweep in this process, from its plan to its end. Batches of jobs may come one after another."""

    app: Application
    opened: OpenSweep
    plan: Plan
    settings: LauncherSettings
    launcher_values: Mapping[str, Any]
    done: dict[int, RunRecord] = field(default_factory=dict)
    _changed: list[RunRecord] = field(default_factory=list)
    _indexed_at: float = 0.0
    _saved_at: float = 0.0
    _lock: ControllerLock | None = None

    def add_jobs(self, overrides: Sequence[Sequence[str]], first: int, names: Sequence[str] | None) -> list[PlannedJob]:
        """Plans and freezes further jobs."""
        jobs = extend_plan(self.plan, self.opened.dir, self.app.config, overrides, first, names)
        with Journal(self.opened.paths.journal) as journal:
            journal.append("sweep", sweep=self.opened.record.to_json())
            journal.append("planned", first=first, count=len(jobs))
        submission = submission_of(self.app.config, self.opened.entry, self.plan)
        freeze(self.opened.dir, dataclasses.replace(submission, launcher=self.launcher_values))
        self._save(state=SweepState.RUNNING)
        return jobs

    def run(self, jobs: Sequence[tuple[PlannedJob, tuple[Attempt, ...]]]) -> Outcomes:
        """Runs jobs, each given with its attempts so far, until all have ended or the sweep is stopped."""
        slots = _slots(self.settings)
        self.hold()
        try:
            with Journal(self.opened.paths.journal) as journal, StopSignal() as stop:
                identity = controller_identity()
                journal.append("controller", pid=identity["pid"], host=identity["host"])
                self._reconcile(journal)
                self._save(state=SweepState.RUNNING, controller=identity, finished_at=None)
                index(self.opened, latest=False)
                outcomes = self._run_pool(jobs, slots, journal, stop)
                journal.append("stopped", interrupted=outcomes.interrupted)
        except OSError as exc:
            raise self._storage_error(exc) from exc
        finally:
            self._release()
        self.done |= outcomes.records
        return outcomes

    def _storage_error(self, error: OSError) -> StorageError:
        return StorageError(
            str(error.filename or self.opened.dir),
            error.strerror or str(error),
            "make room; what was finished is kept, running jobs were ended. Then go on with "
            f"'runyard resume {reference(self.opened)}'",
        )

    def hold(self) -> None:
        """Makes this process the sweep's controller, until ``run`` is over.

        Raises:
            SweepBusy: another one is.
        """
        if self._lock is None:
            lock = ControllerLock(self.opened.paths.lock)
            lock.acquire()
            self._lock = lock

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _reconcile(self, journal: Journal) -> None:
        """Journals the ends that a controller did not live to journal."""
        known = replay(self.opened.paths.journal).runs
        for record in self.done.values():
            if record.job not in known and record.state in TERMINAL:
                run = dataclasses.replace(record, provenance={}).to_json()
                journal.append("ended", job=record.job, run=run, recovered=True)

    def _run_pool(
        self, jobs: Sequence[tuple[PlannedJob, tuple[Attempt, ...]]], slots: Slots, journal: Journal, stop: StopSignal
    ) -> Outcomes:
        pool = LocalPool(self._worker())
        _warn_of_threads()
        pool.start()
        reporter = ProgressReporter(
            self.opened, self.settings, names=self.plan.names, total=len(self.plan.jobs), done=self.done
        )
        hooks = Hooks(ended=self._hook_ended(reporter), turn=self._hook_turn(reporter))
        controller = Controller(
            pool=pool,
            slots=slots,
            settings=self.settings,
            journal=journal,
            facts_of=self._facts_of,
            hooks=hooks,
            stop=stop,
        )
        try:
            reporter.start()
            return controller.run(jobs)
        finally:
            pool.close()
            reporter.close()

    def _hook_ended(self, reporter: ProgressReporter) -> Callable[[RunRecord], None]:
        def ended(record: RunRecord) -> None:
            self._changed.append(record)
            reporter.ended(record)

        return ended

    def _hook_turn(self, reporter: ProgressReporter) -> Callable[[Sequence[tuple[PlannedJob, float]]], None]:
        def turn(running: Sequence[tuple[PlannedJob, float]]) -> None:
            reporter.turn(running)
            now = time.monotonic()
            if self._changed and now - self._indexed_at >= _INDEX_EVERY_S:
                index(self.opened, latest=False, runs=self._changed)
                self._changed, self._indexed_at = [], time.monotonic()
            if now - self._saved_at >= _SAVE_EVERY_S:
                self._saved_at = now
                self._save(counts=reporter.counts())

        return turn

    def _save(self, **changes: Any) -> None:
        self.opened.save(**changes)

    def _worker(self) -> Worker:
        jobs = self.plan.jobs
        return Worker(
            task_function=self.app.task_function,
            context=self.app.context,
            config_of=lambda number: self.plan.config_of(jobs[number]),
            provenance=self.opened.record.provenance,
            seed_key=self.opened.settings.seed_key,
        )

    def _facts_of(self, job: PlannedJob, earlier: tuple[Attempt, ...]) -> JobFacts:
        return JobFacts(
            sweep_id=self.opened.record.sweep_id,
            sweep_dir=self.opened.dir,
            job=job.job,
            run_key=job.run_key,
            run_dir=job.run_dir,
            overrides=job.overrides,
            params=job.params,
            resources=self.settings.resources.to_json(),
            earlier=earlier,
        )

    def end(self, outcomes: Outcomes) -> None:
        """Makes the sweep's files and says how it ended.

        Raises:
            InterruptedSweep: the user stopped it.
        """
        started = time.monotonic()
        notes: list[str] = []
        runs = finish(self.opened, interrupted=outcomes.interrupted, say=notes.append)
        for line in closing_lines(self.opened, runs, outcomes, notes, time.monotonic() - started):
            sys.stderr.write(line + "\n")
        if outcomes.interrupted:
            raise InterruptedSweep(f"the sweep {self.opened.record.sweep_id} was stopped")

    def returns(self, jobs: Sequence[PlannedJob], outcomes: Outcomes) -> JobReturns:
        """What Hydra's sweeper expects of a launcher."""
        return JobReturns(jobs, outcomes.reports, outcomes.records, self.plan.config_of)


def _slots(settings: LauncherSettings) -> Slots:
    """Room for jobs on this machine. Processors are counted only when jobs say how many they want."""
    cpus = usable_cpus()
    return Slots(
        n_jobs=settings.n_jobs or cpus,
        cpus=(settings.cpus or cpus) if settings.counts_cpus else settings.cpus,
        gpus=usable_gpus(settings.gpus, os.environ),
    )


def _warn_of_threads() -> None:
    names = threads_at_fork()
    if names:
        sys.stderr.write(
            f"runyard: the application runs {len(names)} thread(s) already ({', '.join(names[:3])}); jobs are forked "
            "without them. Start threads in the task, not at import.\n"
        )


def new_execution(app: Application, settings: LauncherSettings, launcher_values: Mapping[str, Any]) -> Execution:
    """Opens a sweep that is to run on this machine.

    Raises:
        UsageError: a setting is wrong, or the directory cannot be had.
    """
    setup_globals()
    slots = _slots(settings)
    slots.check(settings.resources)
    opened = open_sweep(app.config)
    plan = Plan(composer=Composer(app.config, app.context.config_loader))
    return Execution(app=app, opened=opened, plan=plan, settings=settings, launcher_values=launcher_values)


def exit_code(runs: Sequence[RunRecord]) -> int:
    """0 when every job is COMPLETED, else 1."""
    return 0 if all(run.state is State.COMPLETED for run in runs) else 1
