"""From the overrides of a sweep's jobs to its plan, row by row: the run key and the folder of each job.

Nothing here is kept for each job: the plan file is the plan, and is read back as the jobs come up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from runyard.base import RecordError, UsageError
from runyard.compose import ComposedJob, Composer, OverrideReader
from runyard.orchestrate.opening import ComposedFile, PointsFile, key_of, plain_params
from runyard.orchestrate.planning.forecast import Ahead, Forecaster
from runyard.record import (
    REDACTED,
    Journal,
    PlanMark,
    PlanReader,
    PlanRow,
    PlanWriter,
    SweepPaths,
    is_secret,
    iter_plan,
    redact,
)

#: jobs that are looked at before anything runs, so that each override is checked once; and how many of the choices
#: of config groups are composed by then.
_CHECKED_JOBS, _CHECKED_CHOICES = 1000, 256
#: values that are remembered at a time.
_REMEMBERED = 2_000

Check = Callable[[DictConfig], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedJob:
    """One job: number, overrides, the hash of its config, its folder, and the swept values."""

    job: int
    overrides: tuple[str, ...]
    run_key: str
    run_dir: Path
    params: Mapping[str, Any]


class Values:
    """The values of overrides in Python's types, as Hydra's grammar reads them."""

    def __init__(self) -> None:
        self._reader = OverrideReader()
        self._known: dict[str, tuple[str, Any]] = {}

    def of(self, overrides: Iterable[str]) -> dict[str, Any]:
        """Override key to value."""
        return dict(map(self._one, overrides))

    def _one(self, text: str) -> tuple[str, Any]:
        found = self._known.get(text)
        if found is None:
            parsed = self._reader.read(text)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[text] = (parsed.get_key_element(), parsed.value())
        return found


def typed_params(overrides: Sequence[str]) -> dict[str, Any]:
    """Override key to value, in Python's types, as Hydra's grammar reads them."""
    return Values().of(overrides)


def submit(composer: Composer, points: Iterable[Sequence[str]], file: PointsFile, check: Check | None) -> int:
    """Freezes the overrides of all jobs, and checks every override once, before anything runs.

    The first job that has an override is composed, and the first of each combination of choices; what is wrong with
    a combination of values that were fine alone, a job tells when it runs.

    Args:
        composer: composes.
        points: the overrides of each job.
        file: where they are kept.
        check: the application's own check of a config; None for none.

    Returns:
        How many jobs there are.

    Raises:
        hydra.errors.HydraException: a job cannot be composed, in Hydra's words.
        UsageError: the application's check refuses a job.
    """
    seen: set[str] = set()
    choices: set[tuple[str, ...]] = set()
    checked = count = 0
    for count, point in enumerate(file.append(points), start=1):
        is_new = False
        if checked < _CHECKED_JOBS:
            is_new = not seen.issuperset(point)
            seen.update(point)
        if len(choices) < _CHECKED_CHOICES:
            chosen = composer.choices_of(point)
            is_new = is_new or chosen not in choices
            choices.add(chosen)
        if is_new:
            checked += 1
            _check(composer.job(point), check, count - 1)
    return count


def _check(job: ComposedJob, check: Check | None, number: int) -> None:
    job.run_key()
    if check is not None:
        with job.on_loan(number) as config:
            check(config)


class Planner:
    """Plans the jobs of one sweep in order, as far as they are wanted."""

    def __init__(
        self,
        sweep_dir: Path,
        composer: Composer,
        *,
        names: Sequence[str],
        jobs: int,
        planned: int = 0,
        mark: PlanMark | None = None,
        forecaster: Forecaster | None = None,
    ) -> None:
        """Takes over a plan of ``planned`` jobs that ends at ``mark``, or begins one.

        Raises:
            RecordError: the plan file is not as the mark says.
        """
        self._dir, self._composer, self._forecaster = sweep_dir, composer, forecaster
        self._values = Values()
        self.names, self.jobs, self.planned = tuple(names), jobs, planned
        self._swept = frozenset(names)
        paths = SweepPaths(sweep_dir)
        self._writer = PlanWriter(paths.plan_csv, names, mark, copy=paths.plan_copy)
        self.mark = mark
        self._composed = ComposedFile(sweep_dir, composer.frozen)
        self._folders: set[bytes] = set()
        for row in iter_plan(paths.plan_copy):
            self._take_folder(row.job, sweep_dir / row.run_dir)
        self._points = PointsFile(sweep_dir).read(planned)

    @property
    def is_done(self) -> bool:
        """Whether every job is planned."""
        return self.planned >= self.jobs

    def advance(self, journal: Journal, count: int) -> None:
        """Plans up to ``count`` further jobs.

        Raises:
            UsageError: two jobs would have the same folder.
            OSError: the disk is full.
        """
        jobs = [self._place(point) for point in islice(self._points, min(count, self.jobs - self.planned))]
        for job, note in zip(jobs, self._notes(jobs), strict=True):
            self._writer.add(
                PlanRow(
                    job=job.job,
                    run_key=job.run_key,
                    run_dir=os.path.relpath(job.run_dir, self._dir),
                    values={key_of(o): _shown(o) for o in job.overrides if key_of(o) in self._swept},
                    note=note,
                )
            )
        self._composed.flush()
        self.mark = self._writer.flush()
        journal.append("planned", count=self.planned, size=self.mark.size, sha256=self.mark.sha256)

    def _place(self, point: tuple[str, ...]) -> PlannedJob:
        number = self.planned
        run_key, run_dir = self._key_and_folder(point, number)
        self._take_folder(number, run_dir)
        self.planned += 1
        params = self._values.of(o for o in point if key_of(o) in self._swept) if self._forecaster else {}
        return PlannedJob(job=number, overrides=point, run_key=run_key, run_dir=run_dir, params=params)

    def _notes(self, jobs: Sequence[PlannedJob]) -> list[str]:
        """What is expected of the jobs."""
        if self._forecaster is None:
            return [""] * len(jobs)
        return [forecast.note for forecast in self._forecaster.of([self._ahead(job) for job in jobs])]

    def _ahead(self, job: PlannedJob) -> Ahead:
        return Ahead(
            job=job.job,
            run_key=job.run_key,
            params=redact(plain_params(job.params)),
            choices=self._composer.choices_of(job.overrides),
            config=lambda: self._composer.compose(job.overrides),
        )

    def _key_and_folder(self, point: Sequence[str], number: int) -> tuple[str, Path]:
        """The run key of a job and its folder; no key where it cannot be composed: it tells when its turn comes."""
        try:
            composed = self._composer.job(point)
            return composed.run_key(), Path(composed.output_dir(number))
        except OSError:
            raise
        except Exception:  # whatever a config, or a resolver in it, raises
            return "", self._dir / str(number)

    def _take_folder(self, job: int, run_dir: Path) -> None:
        short = blake2b(os.fsencode(run_dir), digest_size=8).digest()
        if short in self._folders:
            raise UsageError(
                f"job {job} would have the folder of an earlier job",
                where=str(run_dir),
                todo="make hydra.sweep.subdir differ between jobs, for instance with ${hydra.job.num}",
            )
        self._folders.add(short)


def _shown(override: str) -> str:
    key, _, value = override.partition("=")
    return REDACTED if is_secret(key) else value


class PlannedJobs:
    """The jobs of a sweep as they are planned, from the files, one at a time, while the plan may still grow."""

    def __init__(self, sweep_dir: Path, names: Sequence[str], *, first: int = 0) -> None:
        """Begins at the job with the number ``first``.

        Raises:
            FileNotFoundError: there is no plan yet.
        """
        self._dir, self._swept, self._values = sweep_dir, frozenset(names), Values()
        self._rows = PlanReader(SweepPaths(sweep_dir).plan_copy)
        self._points = PointsFile(sweep_dir).read(first)
        self._skip = first

    def read(self) -> PlannedJob | None:
        """The next job; None where the plan ends so far.

        Raises:
            RecordError: the plan or the list of jobs is damaged.
        """
        while (row := self._rows.read()) is not None and self._skip:
            self._skip -= 1
        if row is None:
            return None
        overrides = next(self._points)
        return PlannedJob(
            job=row.job,
            overrides=overrides,
            run_key=row.run_key,
            run_dir=Path(os.path.normpath(self._dir / row.run_dir)),
            params=self._values.of(o for o in overrides if key_of(o) in self._swept),
        )


def planned_job(sweep_dir: Path, names: Sequence[str], number: int) -> PlannedJob:
    """The planned job with a number.

    Raises:
        RecordError: it is not in the plan.
    """
    job = PlannedJobs(sweep_dir, names, first=number).read()
    if job is None:
        raise RecordError(SweepPaths(sweep_dir).plan_copy, f"it has no job {number}")
    return job
