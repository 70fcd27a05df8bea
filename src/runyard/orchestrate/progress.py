"""What follows a sweep at work: the display all the time; the registry and ``sweep.json`` now and then."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from runyard.base import STATES, TERMINAL, State
from runyard.execute import usable_cpus
from runyard.orchestrate.ending import index
from runyard.orchestrate.jobs import Hooks
from runyard.orchestrate.opening import LauncherSettings, OpenSweep
from runyard.orchestrate.planning import PlannedJob
from runyard.orchestrate.showing import BestSoFar, Progress, RunningJob, eta_seconds, make_display
from runyard.record import RunRecord

#: how often the picture is put together, in seconds; the display draws no faster.
_EVERY_S = 0.125
#: how often the registry and ``sweep.json`` follow a running sweep, in seconds.
_INDEX_EVERY_S = 1.0
_SAVE_EVERY_S = 5.0


class ProgressReporter:
    """Follows the jobs of one controller and keeps the display up to date.

    Args:
        opened: the sweep.
        settings: of the launcher.
        names: the swept keys: they tell jobs apart.
        total: jobs of the sweep.
        before: how many jobs ended before, by state; this controller does not run them.
        seen: records of such jobs, for the best value so far.
    """

    def __init__(
        self,
        opened: OpenSweep,
        settings: LauncherSettings,
        *,
        names: Sequence[str],
        total: int,
        before: Mapping[State, int],
        seen: Iterable[RunRecord] = (),
    ) -> None:
        self._id, self._total, self._names = opened.record.sweep_id, total, names
        self._counts = Counter(before)
        self._slots = settings.n_jobs or usable_cpus()
        self._best = BestSoFar(opened.settings.metric)
        self._ended, self._ended_s = 0, 0.0
        self._running = 0
        self._began = time.monotonic()
        self._shown_at = 0.0
        ended = sum(n for state, n in self._counts.items() if state in TERMINAL)
        self._display = make_display(sys.stderr, total, done=ended, kind=settings.display)
        for run in seen:
            self._best.see(run)

    def start(self) -> None:
        """Before the first job."""
        self._display.start()

    def ended(self, record: RunRecord) -> None:
        """A job has ended for good."""
        self._counts[record.state] += 1
        self._running = max(0, self._running - 1)
        self._ended += 1
        self._ended_s += record.seconds or 0.0
        self._best.see(record)
        self._display.job_ended(record)

    def turn(self, running: Sequence[tuple[PlannedJob, float]]) -> None:
        """Jobs under way, with the seconds that each has had."""
        self._running = len(running)
        now = time.monotonic()
        if now - self._shown_at < _EVERY_S:
            return
        self._shown_at = now
        counts = self.counts()
        seconds = [s for _, s in running]
        self._display.update(
            Progress(
                sweep_id=self._id,
                total=self._total,
                counts=counts,
                running=[RunningJob(job=j.job, label=self._label(j), seconds=s) for j, s in running],
                best=self._best.best,
                eta_s=eta_seconds(
                    ended=self._ended,
                    ended_s=self._ended_s,
                    pending=counts.get(State.PENDING.value, 0),
                    running_s=seconds,
                    slots=self._slots,
                ),
                elapsed_s=now - self._began,
            )
        )

    def _label(self, job: PlannedJob) -> str:
        return " ".join(o for o in job.overrides if o.partition("=")[0] in self._names)

    def counts(self) -> dict[str, int]:
        """How many of all jobs are in each state now."""
        found = self._counts.copy()
        found[State.RUNNING] = self._running
        found[State.PENDING] = self._total - sum(found.values())
        return {state.value: found[state] for state in STATES if found[state]}

    def close(self) -> None:
        """After the last job."""
        self._display.close()


class Upkeep:
    """Has the registry and ``sweep.json`` follow the jobs of one sweep, over all its batches."""

    def __init__(self, opened: OpenSweep) -> None:
        self._opened = opened
        self._changed: list[RunRecord] = []
        self._indexed_at = self._saved_at = 0.0

    def hooks(self, reporter: ProgressReporter) -> Hooks:
        """What the controller's loop calls; the display hears of it as well."""

        def ended(record: RunRecord) -> None:
            self._changed.append(record)
            reporter.ended(record)

        def turn(running: Sequence[tuple[PlannedJob, float]]) -> None:
            reporter.turn(running)
            self._follow(reporter)

        return Hooks(ended=ended, turn=turn)

    def _follow(self, reporter: ProgressReporter) -> None:
        now = time.monotonic()
        if self._changed and now - self._indexed_at >= _INDEX_EVERY_S:
            index(self._opened, latest=False, runs=self._changed)
            self._changed, self._indexed_at = [], time.monotonic()
        if now - self._saved_at >= _SAVE_EVERY_S:
            self._saved_at = now
            self._opened.save(counts=reporter.counts())
