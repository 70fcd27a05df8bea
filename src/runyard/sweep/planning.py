"""The jobs of a sweep, composed and frozen: what was submitted is what runs, now or after a resume."""

from __future__ import annotations

import os
import pickle
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from runyard.base import RecordError, UsageError, write_bytes
from runyard.compose import Composer, Frozen, freeze_config, number_job, output_dir, run_key
from runyard.record import REDACTED, Entry, PlanRow, SweepPaths, is_secret, read_plan, write_plan
from runyard.sweep.config import key_of, recorder_settings, swept_names, task_overrides, validator
from runyard.sweep.settings import RecorderSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedJob:
    """One job: number, overrides, the hash of its config, its folder, and the swept values."""

    job: int
    overrides: tuple[str, ...]
    run_key: str
    run_dir: Path
    params: Mapping[str, Any]


@dataclass(slots=True)
class Plan:
    """The jobs of a sweep so far, and what composing them needs."""

    composer: Composer
    names: list[str] = field(default_factory=list)
    jobs: dict[int, PlannedJob] = field(default_factory=dict)

    def config_of(self, job: PlannedJob) -> DictConfig:
        """The job's composed config, with its number."""
        return number_job(self.composer.compose(job.overrides), job.job)


def extend_plan(
    plan: Plan,
    sweep_dir: Path,
    config: DictConfig,
    job_overrides: Iterable[Sequence[str]],
    first: int,
    names: Sequence[str] | None = None,
) -> list[PlannedJob]:
    """Composes further jobs and adds them to the plan; writes ``plan.csv``.

    Args:
        plan: what is planned so far; it grows.
        sweep_dir: the sweep's directory.
        config: the sweep's own config.
        job_overrides: the overrides of each job.
        first: number of the first of them.
        names: swept keys in their order; None finds them by comparing with the command line's overrides.

    Raises:
        hydra.errors.HydraException: a job cannot be composed, in Hydra's words.
        UsageError: two jobs would have the same folder.
    """
    common = task_overrides(config)
    settings = recorder_settings(config)
    check = validator(settings)
    new: list[PlannedJob] = []
    folders = {job.run_dir for job in plan.jobs.values()}
    for number, overrides in enumerate(job_overrides, start=first):
        composed = number_job(plan.composer.compose(overrides), number)
        check(composed)
        job = _plan_job(composed, settings, number, tuple(overrides), names, common)
        if job.run_dir in folders:
            raise _same_folder(job)
        folders.add(job.run_dir)
        new.append(job)
    for job in new:
        plan.jobs[job.job] = job
        plan.names += [n for n in (names or job.params) if n not in plan.names]
    write_plan_file(plan, sweep_dir)
    return new


def _plan_job(
    config: DictConfig,
    settings: RecorderSettings,
    number: int,
    overrides: tuple[str, ...],
    names: Sequence[str] | None,
    common: Sequence[str],
) -> PlannedJob:
    swept = set(swept_names(overrides, common) if names is None else names)
    return PlannedJob(
        job=number,
        overrides=overrides,
        run_key=run_key(config, settings.exclude_keys),
        run_dir=Path(output_dir(config)),
        params=typed_params([o for o in overrides if key_of(o) in swept]),
    )


def typed_params(overrides: Sequence[str]) -> dict[str, Any]:
    """Override key to value, in Python's types, as Hydra's grammar reads them."""
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    return {o.get_key_element(): o.value() for o in parsed}


def _same_folder(job: PlannedJob) -> UsageError:
    return UsageError(
        f"job {job.job} would have the folder of an earlier job",
        where=str(job.run_dir),
        todo="make hydra.sweep.subdir differ between jobs, for instance with ${hydra.job.num}",
    )


def write_plan_file(plan: Plan, sweep_dir: Path) -> None:
    """Writes ``plan.csv``, secrets redacted."""
    write_plan(SweepPaths(sweep_dir).plan_csv, _rows(plan.jobs.values(), plan.names, sweep_dir), plan.names)


def _rows(jobs: Iterable[PlannedJob], names: Collection[str], sweep_dir: Path) -> list[PlanRow]:
    return [
        PlanRow(
            job=job.job,
            run_key=job.run_key,
            run_dir=os.path.relpath(job.run_dir, sweep_dir),
            values={key_of(o): _shown(o) for o in job.overrides if key_of(o) in names},
        )
        for job in jobs
    ]


def check_plan_file(sweep_dir: Path, submission: Submission) -> None:
    """Raises UsageError when ``plan.csv`` is not the plan that was submitted: someone has edited it in its place."""
    if not submission.jobs:
        return
    path = SweepPaths(sweep_dir).plan_csv
    try:
        found = [(row.job, row.run_key) for row in read_plan(sweep_dir)]
        problem = "" if found == [(job.job, job.run_key) for job in submission.jobs] else "it has other jobs"
    except RecordError as exc:
        problem = exc.problem
    if problem:
        raise UsageError(
            f"plan.csv is not the plan that was submitted ({problem})",
            where=str(path),
            todo="'runyard collect' brings the submitted plan back; to run an edited one, copy it elsewhere and start "
            "a new sweep with hydra.sweeper.table=FILE",
        )


def restore_plan_file(sweep_dir: Path) -> bool:
    """Writes the submitted plan again where ``plan.csv`` is not it; returns whether that was so."""
    try:
        submission = thaw(sweep_dir)
        check_plan_file(sweep_dir, submission)
        return False
    except RecordError:
        return False  # the snapshot itself is damaged: nothing to restore from
    except UsageError:
        if not SweepPaths(sweep_dir).frozen.exists():
            return False
    rows = _rows(submission.jobs, submission.names, sweep_dir)
    write_plan(SweepPaths(sweep_dir).plan_csv, rows, submission.names)
    return True


def _shown(override: str) -> str:
    key, _, value = override.partition("=")
    return REDACTED if is_secret(key) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What is frozen of a sweep: enough to run any of its jobs without its config files.

    ``master`` is the pickled config of the sweep: it can be unpickled once the application is imported.
    ``jobs`` is empty as long as nothing is planned.
    """

    master: bytes
    launcher: Mapping[str, Any]
    entry: Entry | None
    frozen: Frozen = field(default_factory=Frozen)
    names: tuple[str, ...] = ()
    jobs: tuple[PlannedJob, ...] = ()


def submission_of(config: DictConfig, entry: Entry | None, plan: Plan | None = None) -> Submission:
    """What is to be frozen of a sweep, before or after its jobs are planned."""
    launcher: Any = OmegaConf.to_container(config.hydra.launcher, resolve=True)
    launcher.pop("_target_", None)
    master = freeze_config(config)
    if plan is None:
        return Submission(master=master, launcher=launcher, entry=entry)
    return Submission(
        master=master,
        launcher=launcher,
        entry=entry,
        frozen=plan.composer.frozen,
        names=tuple(plan.names),
        jobs=tuple(plan.jobs.values()),
    )


def freeze(sweep_dir: Path, submission: Submission) -> None:
    """Keeps a submission in the snapshot, readable by its owner alone (it holds what is redacted elsewhere)."""
    paths = SweepPaths(sweep_dir)
    paths.snapshot.mkdir(exist_ok=True)
    write_bytes(paths.frozen, pickle.dumps(submission), mode=0o600, sync=True)


def thaw(sweep_dir: Path) -> Submission:
    """The submission that ``freeze`` kept.

    Raises:
        UsageError: there is none: the sweep was not run by this launcher.
        RecordError: it is damaged.
    """
    path = SweepPaths(sweep_dir).frozen
    try:
        submission = pickle.loads(path.read_bytes())
    except FileNotFoundError as exc:
        raise UsageError(
            "this sweep has no snapshot to run from",
            where=str(sweep_dir),
            todo="only sweeps of the launcher runyard_local can be resumed; run the command again for others",
        ) from exc
    except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError) as exc:
        raise RecordError(path, f"the snapshot is damaged or of another version ({exc})") from exc
    if not isinstance(submission, Submission):
        raise RecordError(path, "not a snapshot of this version")
    return submission
