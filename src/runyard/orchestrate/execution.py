"""Running a sweep's jobs in this process, from the first to the end: new ones, and those of one taken up again."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from omegaconf import DictConfig

from runyard.base import InterruptedSweep, State, StorageError, SweepState
from runyard.compose import number_job
from runyard.execute import Slots, fork_obstacles
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
    choose_isolation,
    make_pool,
    ready_worker,
)
from runyard.orchestrate.planning import PlanFeed, PlannedJob, Reuse, planned_job, slots_of
from runyard.orchestrate.progress import ProgressReporter, Upkeep
from runyard.orchestrate.submitting import SubmittedSweep
from runyard.record import Attempt, ControllerLock, Journal, RunRecord, controller_identity


@dataclass(slots=True)
class Execution(SubmittedSweep):
    """A submitted sweep that this process runs, to its end. Batches of jobs may come one after another.

    ``before`` counts the jobs, by state, that ended before this process and are not run by it; ``best_before`` are
    records of them.
    """

    before: Counter[State] = field(default_factory=Counter)
    best_before: Iterable[RunRecord] = ()
    _upkeep: Upkeep = field(init=False)
    _lock: ControllerLock | None = None
    _isolation: Isolation | None = None

    def __post_init__(self) -> None:
        self._upkeep = Upkeep(self.opened)

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
                self.opened.save(state=SweepState.RUNNING, controller=identity, finished_at=None)
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
        try:
            if self.settings.display != "none":
                sys.stderr.write("".join(f"{line}\n" for line in self.outlook()))
            return self.run_feed(feed, slots, journal, stop, self._upkeep.hooks(reporter), ready=reporter.start)
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

    def _choose_isolation(self) -> Isolation:
        before = self._isolation
        self._isolation = choose_isolation(self.settings, self.opened.entry, fork_obstacles())
        if self._isolation.words and self._isolation != before:
            sys.stderr.write(f"runyard: {self._isolation.words}\n")
        return self._isolation

    def worker(self, *, rehearses: bool) -> Worker:
        """Runs jobs of this sweep; with ``rehearses`` what they have in common is done before they are forked."""
        return ready_worker(self.app, self.opened, self.composer, rehearses=rehearses)

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
