"""The use case: submit, plan, run, record, finish; for a new sweep and for one that is taken up again."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from runyard.base import InterruptedSweep, State, StorageError, SweepState, UsageError
from runyard.compose import Composer, number_job
from runyard.execute import (
    Resources,
    Slots,
    fork_obstacles,
    usable_cpus,
)
from runyard.orchestrate.ending import end_apart, index, reference
from runyard.orchestrate.jobs import (
    Controller,
    Feed,
    Hooks,
    Isolation,
    JobReturns,
    Orders,
    Outcomes,
    Returned,
    StopSignal,
    Worker,
    check_isolation,
    choose_isolation,
    make_pool,
    own_provenance,
    unrecorded,
)
from runyard.orchestrate.opening import (
    LauncherSettings,
    OpenSweep,
    PointsFile,
    freeze,
    open_sweep,
    submission_of,
    swept_names,
    task_overrides,
    validator,
)
from runyard.orchestrate.planning import (
    Forecaster,
    JobResources,
    Past,
    PlanFeed,
    PlannedJob,
    Planner,
    Reuse,
    SweeperSettings,
    below_ceiling,
    planned_job,
    points_of,
    submit,
)
from runyard.orchestrate.progress import ProgressReporter
from runyard.plan import Points
from runyard.record import (
    Attempt,
    ControllerLock,
    Imports,
    Journal,
    PlanMark,
    RunRecord,
    controller_identity,
    current_entry,
    imported_code,
    read_code,
)

#: how often the registry and ``sweep.json`` follow a running sweep, in seconds.
_INDEX_EVERY_S = 1.0
_SAVE_EVERY_S = 5.0
#: how long jobs are planned before the first one starts, in seconds; the rest is planned while jobs run.
_PLAN_FIRST_S = 0.15
#: compositions whose jobs are readied before the first fork; those of others are handed their whole config.
_REHEARSED = 64


@dataclass(slots=True)
class Application:
    """What Hydra gives a launcher: the task, the context, and the sweep's own config."""

    task_function: TaskFunction
    context: HydraContext
    config: DictConfig


@dataclass(slots=True)
class Jobs:
    """The jobs of a sweep so far: how many, their swept names, how far the plan goes."""

    count: int = 0
    names: tuple[str, ...] = ()
    replicate: str | None = None
    planned: int = 0
    mark: PlanMark | None = None


@dataclass(slots=True)
class Execution:
    """One sweep in this process, from its submission to its end. Batches of jobs may come one after another.

    ``before`` counts the jobs, by state, that ended before this process and are not run by it.
    """

    app: Application
    opened: OpenSweep
    composer: Composer
    settings: LauncherSettings
    launcher_values: Mapping[str, Any]
    resources: JobResources
    reuse: str = "never"
    jobs: Jobs = field(default_factory=Jobs)
    before: Counter[State] = field(default_factory=Counter)
    best_before: Iterable[RunRecord] = ()
    _changed: list[RunRecord] = field(default_factory=list)
    _indexed_at: float = 0.0
    _saved_at: float = 0.0
    _lock: ControllerLock | None = None
    _isolation: Isolation | None = None
    _forecaster: Forecaster | None = None

    def outlook(self) -> list[str]:
        """What is expected of the jobs that this process has planned, in lines for the user."""
        if self._forecaster is None:
            return []
        slots = self.settings.n_jobs or usable_cpus()
        return self._forecaster.tally.lines(slots=slots, jobs=self.jobs.count, reuses=self.reuses)

    @property
    def reuses(self) -> bool:
        """Whether results of equal runs are taken over."""
        return self.reuse == "completed"

    def _past(self) -> Past:
        return Past(
            self.opened.root,
            self.opened.dir,
            experiment=self.opened.record.experiment,
            cwd=Path(str(self.app.config.hydra.runtime.cwd)),
        )

    def submit(
        self, points: Iterable[Sequence[str]], names: Sequence[str] | None = None, replicate: str | None = None
    ) -> int:
        """Freezes further jobs, after checking them; returns the number of the first.

        Args:
            points: the overrides of each job.
            names: swept keys in their order; None finds them by comparing with the command line's overrides.
            replicate: the swept key that only repeats.

        Raises:
            hydra.errors.HydraException: a job cannot be composed, in Hydra's words.
            UsageError: the application's own check refuses a job.
        """
        if names is None:
            points = [tuple(point) for point in points]
            names = self._names_of(points)
        first = self.jobs.count
        file = PointsFile(self.opened.dir)
        file.cut(first)
        self.jobs.count += submit(self.composer, below_ceiling(points, first), file, self._check())
        if tuple(names) != self.jobs.names:
            self.jobs = Jobs(count=self.jobs.count, names=tuple(names), replicate=replicate)
        self._freeze()
        with Journal(self.opened.paths.journal) as journal:
            journal.append("sweep", sweep=self.opened.record.to_json())
            journal.append("submitted", count=self.jobs.count)
        self._save(state=SweepState.RUNNING, replicate=self.jobs.replicate)
        return first

    def _check(self) -> Callable[[DictConfig], None] | None:
        """What a job's config is checked for before anything runs; None when there is nothing to check."""
        validate = validator(self.opened.settings)
        if not self.resources.reads_config:
            return validate
        slots = slots_of(self.settings)

        def check(config: DictConfig) -> None:
            if validate is not None:
                validate(config)
            slots.check(self.resources.of(task_overrides(config), config))

        return check

    def submit_points(self, settings: SweeperSettings, arguments: Sequence[str]) -> Points:
        """Submits what our sweeper is asked for; returns the points, gone through. Raises as ``submit``."""
        self.reuse = settings.reuse
        parser = OverridesParser.create(config_loader=self.app.context.config_loader)
        points = points_of(self.app.config, settings, arguments, parser, self.composer)
        self.submit(points, points.names, points.replicate)
        if not self.jobs.count:
            raise UsageError(
                f"no job is left: all {points.left.excluded} are excluded",
                where="hydra.sweeper",
                todo="look at hydra.sweeper.include and exclude",
            )
        return points

    def _names_of(self, points: Sequence[Sequence[str]]) -> tuple[str, ...]:
        common = task_overrides(self.app.config)
        found = dict.fromkeys(self.jobs.names)
        for point in points:
            found.update(dict.fromkeys(swept_names(point, common)))
        return tuple(found)

    def _freeze(self) -> None:
        submission = submission_of(self.app.config, self.opened.entry)
        freeze(
            self.opened.dir,
            dataclasses.replace(
                submission,
                launcher=self.launcher_values,
                frozen=self.composer.frozen,
                names=self.jobs.names,
                replicate=self.jobs.replicate,
                jobs=self.jobs.count,
            ),
        )
        self.opened.paths.composed.unlink(missing_ok=True)

    def plan_all(self) -> None:
        """Plans every job, and runs none."""
        with Journal(self.opened.paths.journal) as journal:
            self._keep_plan(self._feed(journal, 0, self.jobs.count, None, {}), to_end=True)

    def run(
        self,
        first: int,
        count: int,
        wanted: Callable[[int], bool] | None = None,
        earlier: Mapping[int, tuple[Attempt, ...]] | None = None,
    ) -> Outcomes:
        """Runs jobs until all have ended or the sweep is stopped.

        Args:
            first: number of the first.
            count: how many, wanted or not, there are from it.
            wanted: tells of a number whether that job is to run; None means all.
            earlier: attempts that jobs have had already.
        """
        slots = slots_of(self.settings)
        self.hold()
        try:
            with Journal(self.opened.paths.journal) as journal, StopSignal() as stop:
                identity = controller_identity()
                journal.append("controller", pid=identity["pid"], host=identity["host"])
                self._save(state=SweepState.RUNNING, controller=identity, finished_at=None)
                index(self.opened, latest=False, runs=())
                feed = self._feed(journal, first, count, wanted, earlier or {})
                outcomes = self._run_pool(feed, slots, journal, stop)
                self._keep_plan(feed, to_end=not outcomes.interrupted)
                journal.append("stopped", interrupted=outcomes.interrupted)
        except BaseException as exc:
            self._release()
            if isinstance(exc, OSError):
                raise self._storage_error(exc) from exc
            raise
        self.before += outcomes.counts
        return outcomes

    def _feed(
        self,
        journal: Journal,
        first: int,
        count: int,
        wanted: Callable[[int], bool] | None,
        earlier: Mapping[int, tuple[Attempt, ...]],
    ) -> PlanFeed:
        jobs = self.jobs
        if self._forecaster is None:
            self._forecaster = Forecaster(self._past(), exclude=self.opened.settings.exclude_keys)
        planner = Planner(
            self.opened.dir,
            self.composer,
            names=jobs.names,
            jobs=jobs.count,
            planned=jobs.planned,
            mark=jobs.mark,
            forecaster=self._forecaster,
        )
        feed = PlanFeed(self.opened.dir, planner, journal, first=first, count=count, wanted=wanted, earlier=earlier)
        feed.plan_for(_PLAN_FIRST_S)
        return feed

    def _keep_plan(self, feed: PlanFeed, *, to_end: bool) -> None:
        """Remembers how far the plan goes, after bringing it to its end where that is wanted."""
        while to_end and feed.work_ahead():
            pass
        self.jobs.planned, self.jobs.mark = feed.planner.planned, feed.planner.mark

    def _storage_error(self, error: OSError) -> StorageError:
        return StorageError(
            str(error.filename or self.opened.dir),
            error.strerror or str(error),
            "make room; what was finished is kept, running jobs were ended. Then go on with "
            f"'runyard resume {reference(self.opened)}'",
        )

    def hold(self) -> None:
        """Makes this process the sweep's controller, until ``end`` is over or ``run`` fails.

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

    def _run_pool(self, feed: PlanFeed, slots: Slots, journal: Journal, stop: StopSignal) -> Outcomes:
        reporter = ProgressReporter(
            self.opened,
            self.settings,
            names=self.jobs.names,
            total=self.jobs.count,
            before=self.before,
            seen=self.best_before,
        )
        hooks = Hooks(ended=self._hook_ended(reporter), turn=self._hook_turn(reporter))
        try:
            if self.settings.display != "none":
                sys.stderr.write("".join(f"{line}\n" for line in self.outlook()))
            return self.run_feed(feed, slots, journal, stop, hooks, ready=reporter.start)
        finally:
            reporter.close()

    def run_feed(
        self,
        feed: Feed,
        slots: Slots,
        journal: Journal,
        stop: StopSignal,
        hooks: Hooks,
        *,
        ready: Callable[[], None] | None = None,
        returned: Returned | None = None,
    ) -> Outcomes:
        """Runs the jobs that a feed gives, and nothing more: no lock is taken, and no file of the sweep written.

        ``ready`` is called before the first job, when the process that jobs are forked from is there. ``returned``
        keeps what tasks return; None keeps it in this process.
        """
        isolation = self._choose_isolation()
        worker = self.worker(rehearses=isolation.kind == "fork")
        pool = make_pool(isolation, worker, self.app.config, self.opened.entry)
        pool.start()
        controller = Controller(
            pool=pool,
            slots=slots,
            settings=self.settings,
            journal=journal,
            orders=Orders(
                self.opened,
                self.composer,
                self.resources,
                check=slots.check,
                rehearsed=worker.rehearsals.keys(),
                reuse=Reuse(self._past()) if self.reuses else None,
            ),
            hooks=hooks,
            stop=stop,
            returned=returned or Returned(),
        )
        try:
            if ready is not None:
                ready()
            return controller.run(feed)
        finally:
            pool.close()

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

    def _choose_isolation(self) -> Isolation:
        before = self._isolation
        self._isolation = choose_isolation(self.settings, self.opened.entry, fork_obstacles())
        if self._isolation.words and self._isolation != before:
            sys.stderr.write(f"runyard: {self._isolation.words}\n")
        return self._isolation

    def worker(self, *, rehearses: bool) -> Worker:
        """Runs jobs of this sweep; with ``rehearses`` what they have in common is done before they are forked."""
        rehearsals = {}
        for choices in list(self.composer.frozen.bases)[: _REHEARSED if rehearses else 0]:
            rehearsal = self.composer.rehearse(choices)
            if rehearsal is not None:
                rehearsals[choices] = rehearsal
        provenance = self._provenance()
        return Worker(
            task_function=self.app.task_function,
            context=unrecorded(self.app.context),
            rehearsals=rehearsals,
            provenance=provenance,
            imports=Imports(),
            lines=own_provenance(provenance),
            seed_key=self.opened.settings.seed_key,
        )

    def _provenance(self) -> Mapping[str, Any]:
        """That of the sweep; the code is what this process has imported, which may have changed since."""
        provenance, base = self.opened.provenance, read_code(self.opened.paths.code)
        if base is None:
            return provenance
        now = imported_code(Path(str(self.app.config.hydra.runtime.cwd)))
        return {**provenance, "code": {"base": base.id, "files": now.without(base)}}

    def end(self, outcomes: Outcomes) -> bool:
        """Makes the sweep's files and says how it ended; returns whether every job completed.

        Raises:
            InterruptedSweep: the user stopped it.
        """
        try:
            completed = end_apart(self.opened, outcomes)
        finally:
            self._release()  # not before: who looks while the files are made must not take the sweep for lost
        if outcomes.interrupted:
            raise InterruptedSweep(f"the sweep {self.opened.record.sweep_id} was stopped")
        return completed

    def returns(self, first: int, count: int, returned: Returned) -> JobReturns:
        """What Hydra's sweeper expects of a launcher."""
        folder, names = self.opened.dir, self.jobs.names

        def job_of(position: int) -> PlannedJob:
            return planned_job(folder, names, first + position)

        def config_of(job: PlannedJob) -> DictConfig:
            return number_job(self.composer.compose(job.overrides), job.job)

        return JobReturns(count, job_of, returned, config_of)


def slots_of(settings: LauncherSettings) -> Slots:
    """The room for jobs on this machine, or in this allocation."""
    return Slots.of_machine(
        n_jobs=settings.n_jobs,
        cpus=settings.cpus,
        counts_cpus=settings.counts_cpus,
        gpus=settings.gpus,
        environment=os.environ,
    )


def new_execution(app: Application, settings: LauncherSettings, launcher_values: Mapping[str, Any]) -> Execution:
    """Opens a sweep that is to run on this machine.

    Raises:
        UsageError: a setting is wrong, or the directory cannot be had.
    """
    slots = slots_of(settings)
    resources = JobResources(settings.resources, settings.rules, settings.resources_from)
    for wanted in resources.every():
        slots.check(wanted)
    check_isolation(settings.isolation, current_entry(str(app.config.hydra.runtime.cwd)))
    return open_execution(app, settings, launcher_values)


def open_execution(app: Application, settings: LauncherSettings, launcher_values: Mapping[str, Any]) -> Execution:
    """Opens a sweep that is to run wherever.

    Raises:
        UsageError: a setting is wrong, or the directory cannot be had.
    """
    setup_globals()
    opened = open_sweep(app.config)
    composer = Composer(app.config, app.context.config_loader, exclude=opened.settings.exclude_keys)
    return Execution(
        app=app,
        opened=opened,
        composer=composer,
        settings=settings,
        launcher_values=launcher_values,
        resources=JobResources(settings.resources, settings.rules, settings.resources_from),
    )


def foreign_execution(app: Application) -> Execution:
    """Opens a sweep whose jobs another launcher runs; it is planned here, and not run.

    Raises:
        UsageError: the directory cannot be had.
    """
    opened = open_sweep(app.config)
    composer = Composer(app.config, app.context.config_loader, exclude=opened.settings.exclude_keys)
    return Execution(
        app=app,
        opened=opened,
        composer=composer,
        settings=LauncherSettings(),
        launcher_values={},
        resources=JobResources(Resources()),
    )
