"""Submitting a sweep's jobs: they are checked, frozen and planned, before anything runs. Runs none."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from runyard.base import SweepState, UsageError
from runyard.compose import Composer
from runyard.execute import usable_cpus
from runyard.orchestrate.opening import (
    Application,
    LauncherSettings,
    OpenSweep,
    PointsFile,
    freeze,
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
    Planner,
    SweeperSettings,
    below_ceiling,
    points_of,
    slots_of,
    submit,
)
from runyard.plan import Points
from runyard.record import Attempt, Journal, PlanMark

#: how long jobs are planned before the first one starts, in seconds; the rest is planned while jobs run.
_PLAN_FIRST_S = 0.15


@dataclass(slots=True)
class Jobs:
    """The jobs of a sweep so far: how many, their swept names, how far the plan goes."""

    count: int = 0
    names: tuple[str, ...] = ()
    replicate: str | None = None
    planned: int = 0
    mark: PlanMark | None = None


@dataclass(slots=True)
class SubmittedSweep:
    """One sweep in this process, as far as its jobs are submitted and planned. They may come in batches.

    ``reuse`` tells whether results of equal runs are taken over; ``launcher_values`` are ``settings`` as keys and
    values.
    """

    app: Application
    opened: OpenSweep
    composer: Composer
    settings: LauncherSettings
    launcher_values: Mapping[str, Any]
    resources: JobResources
    reuse: str = "never"
    jobs: Jobs = field(default_factory=Jobs)
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
        self.opened.save(state=SweepState.RUNNING, replicate=self.jobs.replicate)
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
