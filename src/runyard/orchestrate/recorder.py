"""The recorder's part in jobs that another launcher runs, and in single runs: called from Hydra's callback hooks.

Under our own launcher the worker keeps the record, and these functions stand aside.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig, OmegaConf

from runyard.base import RecordError, State, SweepState, UsageError, iso, utc_now
from runyard.compose import run_key
from runyard.orchestrate.ending import finish, index
from runyard.orchestrate.jobs import JobFacts, RunningJob
from runyard.orchestrate.opening import (
    OUR_LAUNCHERS,
    OpenSweep,
    key_of,
    launcher_name,
    open_sweep,
    opened_for,
    recorder_settings,
    seed_of,
    task_overrides,
    validator,
)
from runyard.orchestrate.planning import typed_params
from runyard.record import (
    RunRecord,
    count_states,
    current_or_none,
    gather,
    git_state,
    read_run,
    read_runs,
    read_sweep,
    redact_override,
    shown,
)

_jobs: dict[str, RunningJob] = {}  # by output directory: the jobs that this process is at work on


def begin_sweep(config: DictConfig) -> None:
    """``on_multirun_start``: claims the directory and writes ``sweep.json``."""
    _check_that_ours_is_chosen(config)
    opened = open_sweep(config)
    atexit.register(_left_open, opened, os.getpid(), _is_ours(config))
    if not _is_ours(config):
        index(opened, latest=False)


def _check_that_ours_is_chosen(config: DictConfig) -> None:
    """Refuses ``+runyard=local`` or ``slurm`` where the application's own config chooses another launcher.

    In Hydra an ``override /hydra/launcher`` of the primary config wins over that of a group on the command line.
    Only what stands on the command line itself wins over both.
    """
    chosen = launcher_name(config)
    on_command_line = any(str(o).startswith("hydra/launcher=") for o in config.hydra.overrides.hydra)
    wanted = config.hydra.runtime.choices.get("runyard")
    if wanted in ("local", "slurm") and chosen != f"runyard_{wanted}" and not on_command_line:
        raise UsageError(
            f"the application's own config chooses hydra/launcher={chosen}, which wins over runyard={wanted}",
            where="the defaults list of its primary config",
            todo=f"add hydra/launcher=runyard_{wanted} to the command line (and hydra/sweeper=runyard if it chooses a "
            "sweeper too), or say +runyard=record to keep its launcher",
        )


def end_sweep(config: DictConfig) -> None:
    """``on_multirun_end``: makes the sweep's files, unless our launcher or sweeper has."""
    opened = opened_for(config)
    if opened is not None and opened.record.state is SweepState.RUNNING and not opened.is_detached:
        finish(opened)


def begin_run(config: DictConfig) -> None:
    """``on_run_start``: claims the directory of a single run and writes its ``sweep.json``."""
    validate = validator(recorder_settings(config))
    if validate is not None:
        validate(config)
    opened = open_sweep(config, single=True)
    atexit.register(_left_open, opened, os.getpid(), False)


def end_run(config: DictConfig) -> None:
    """``on_run_end``: brings the record and the registry up to the result."""
    opened = opened_for(config, single=True)
    if opened is not None:
        finish(opened)
        sys.stderr.write(f"run {opened.record.sweep_id} {opened.record.state}: {shown(opened.dir)}\n")


def begin_job(config: DictConfig) -> None:
    """``on_job_start``: writes ``run.json`` in the process that runs the job."""
    if current_or_none() is not None:
        return  # our worker keeps the record
    folder = str(config.hydra.runtime.output_dir)
    running = RunningJob(*_facts(config, Path(folder)))
    running.begin()
    _jobs[folder] = running
    atexit.register(_left_running, folder, os.getpid())


def end_job(config: DictConfig, job_return: JobReturn) -> None:
    """``on_job_end``: writes what came of the job."""
    running = _jobs.pop(str(config.hydra.runtime.output_dir), None)
    if running is None:
        return
    if job_return.status is JobStatus.COMPLETED:
        running.succeed(job_return._return_value)
    else:
        running.fail(job_return._return_value)


def _is_ours(config: DictConfig) -> bool:
    return str(OmegaConf.select(config, "hydra.launcher._target_", default="")) in OUR_LAUNCHERS


def _is_single(config: DictConfig) -> bool:
    return OmegaConf.is_missing(config.hydra.job, "num")


def _facts(config: DictConfig, folder: Path) -> tuple[JobFacts, Mapping[str, Any], Any]:
    settings = recorder_settings(config)
    single = _is_single(config)
    sweep_dir = folder if single else Path(str(config.hydra.runtime.cwd), str(config.hydra.sweep.dir))
    overrides = task_overrides(config)
    sweep_id, common, provenance = _of_sweep(config, sweep_dir, single)
    swept = [] if single else [o for o in overrides if redact_override(o) not in common]
    facts = JobFacts(
        sweep_id=sweep_id,
        sweep_dir=sweep_dir,
        job=0 if single else int(config.hydra.job.num),
        run_key=run_key(config, settings.exclude_keys),
        run_dir=folder,
        overrides=overrides,
        params=typed_params([o for o in swept if key_of(o)]),
        earlier=_earlier(folder),
        single=single,
    )
    return facts, provenance, seed_of(config, settings.seed_key)


def _of_sweep(config: DictConfig, sweep_dir: Path, single: bool) -> tuple[str, set[str], Mapping[str, Any]]:
    """Id, common overrides and provenance: those of the sweep when this is its process, else gathered here."""
    opened = opened_for(config, single=single)
    if opened is not None:
        record = opened.record
        return record.sweep_id, set(record.overrides), record.provenance
    settings = recorder_settings(config)
    record = read_sweep(sweep_dir)
    provenance = gather(
        git=git_state(Path(record.cwd)),
        command=record.command,
        environment=os.environ,
        tags=settings.tags,
        note=settings.note,
        patch=record.provenance.get("git", {}).get("patch"),
    )
    return record.sweep_id, set(record.overrides), provenance


def _earlier(folder: Path) -> tuple[Any, ...]:
    """Attempts before this one, when a job is run again in its directory (a requeued Slurm job, say)."""
    try:
        record: RunRecord | None = read_run(folder)
    except RecordError:
        return ()
    return record.attempts if record is not None else ()


def _left_running(folder: str, pid: int) -> None:
    """At the end of the process: a job that neither returned nor raised has called ``sys.exit`` or was interrupted."""
    running = _jobs.pop(folder, None) if os.getpid() == pid else None
    if running is not None:
        error = _last_error() or SystemExit("the process ended while the job ran (sys.exit?)")
        running.fail(error)


def _last_error() -> BaseException | None:
    """What ended this process, when it was an exception: Ctrl-C, which Hydra does not catch."""
    return getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)


def _left_open(opened: OpenSweep, pid: int, is_ours: bool) -> None:
    """At the end of the launcher's process: a sweep that Hydra has not ended is marked, and the way out named.

    One in which nothing has run (the command line was wrong) is taken back.
    """
    if os.getpid() != pid or opened.record.state is not SweepState.RUNNING or not opened.dir.exists():
        return
    runs = read_runs(opened.dir)
    if not opened.paths.journal.exists() and all(run.state is State.PENDING for run in runs):
        opened.abandon()
        return
    if opened.record.single:
        finish(opened)
        return
    if is_ours:
        return  # it ended by an error of ours; status tells LOST, and resume goes on with it
    failed = any(run.state is not State.COMPLETED for run in runs)
    opened.save(
        state=SweepState.FAILED if failed else SweepState.CANCELLED,
        counts=count_states(runs),
        finished_at=iso(utc_now()),
        controller=None,
    )
    index(opened, latest=False)
    sys.stderr.write(
        f"runyard: the sweep ended early; 'runyard collect {opened.dir}' makes its tables from what is on disk\n"
    )
