"""Reproducing: one job of a sweep again, from its snapshot, in a folder of its own beside the record."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from omegaconf import open_dict, read_write

from runyard.base import RunyardError, State, UsageError
from runyard.cluster.frozen import frozen_command, read_tree
from runyard.cluster.worker import moved_entry
from runyard.compose import CapturedApplication, freeze_config, number_job, run_captured
from runyard.execute import end_process
from runyard.orchestrate import JobFacts, JobPayload, LauncherSettings, planned_job, thaw, thawed
from runyard.record import RunRecord, read_run, read_runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """A job as it was recorded, and as it came out again; ``again`` is None when it left no record."""

    recorded: RunRecord
    again: RunRecord | None

    @property
    def is_equal(self) -> bool:
        """Whether it completed again, with the same metrics to the last digit."""
        if self.again is None or self.again.state is not State.COMPLETED:
            return False
        return _comparable(self.again.metrics) == _comparable(self.recorded.metrics)


def _comparable(metrics: Mapping[str, Any]) -> dict[str, str]:
    """NaN is equal to itself here."""
    return {name: repr(value) for name, value in metrics.items()}


def reproduce_command(
    sweep_dir: Path, job: int, folder: Path, *, current_code: bool = False
) -> tuple[list[str], dict[str, str], str]:
    """The command that runs a job again into ``folder``: arguments, environment, working directory.

    Args:
        sweep_dir: the sweep.
        job: its number.
        folder: where it runs; it must not be there yet, or be empty.
        current_code: run the code as it is now, instead of the frozen one.

    Raises:
        UsageError: the code was not frozen, or the folder holds something.
    """
    submission, tree = thaw(sweep_dir), None if current_code else read_tree(sweep_dir)
    if submission.entry is None:
        raise UsageError("the sweep was not started as a program", where=str(sweep_dir))
    if tree is None and not current_code:
        raise UsageError(
            "the code of this sweep was not frozen: that is done for sweeps on Slurm",
            where=str(sweep_dir),
            todo="run the job with the code as it is now: --current-code",
        )
    if folder.exists() and any(folder.iterdir()):
        raise UsageError("the folder is not empty", where=str(folder), todo="give another one with --to")
    command = frozen_command(submission.entry, tree, "runyard.cluster.reproducing", "main")
    return (
        [*command, str(sweep_dir), str(job), str(folder), str(int(current_code))],
        dict(os.environ),
        (submission.entry.cwd),
    )


def compared(sweep_dir: Path, job: int, folder: Path) -> Reproduction:
    """How a job came out again."""
    recorded = next(run for run in read_runs(sweep_dir) if run.job == job)
    return Reproduction(recorded=recorded, again=read_run(folder))


def main() -> NoReturn:
    """The command: runs the job in this process, on this terminal."""
    sweep_dir, job, folder, current_code = sys.argv[1:5]
    submission = thaw(Path(sweep_dir))
    if submission.entry is None:
        end_process(os.EX_USAGE)
    entry = submission.entry if current_code == "1" else moved_entry(submission.entry, Path(sweep_dir))
    os.chdir(entry.cwd)

    def inside(captured: CapturedApplication) -> NoReturn:
        code = os.EX_SOFTWARE
        try:
            code = _run(Path(sweep_dir), int(job), Path(folder), captured)
        except RunyardError as error:
            sys.stderr.write(f"{error}\n")
            code = error.exit_code
        finally:
            end_process(code)

    run_captured(entry.kind, entry.target, entry.args, inside, folder=entry.folder)
    end_process(os.EX_SOFTWARE)  # not reached


def _run(sweep_dir: Path, number: int, folder: Path, captured: CapturedApplication) -> int:
    execution = thawed(sweep_dir, thaw(sweep_dir), captured, LauncherSettings(), {})
    job = planned_job(sweep_dir, execution.jobs.names, number)
    config = number_job(execution.composer.job(job.overrides).config(), number)
    with read_write(config.hydra), open_dict(config.hydra):
        config.hydra.sweep.dir, config.hydra.sweep.subdir = str(folder.parent), folder.name
    facts = JobFacts(
        sweep_id=execution.opened.record.sweep_id,
        sweep_dir=folder,  # what jobs of the sweep had in common is made anew, too
        job=number,
        run_key=job.run_key,
        run_dir=folder,
        overrides=job.overrides,
        params=job.params,
        single=True,
    )
    os.environ.update(RUNYARD_SWEEP_DIR=str(folder), RUNYARD_JOB=str(number), RUNYARD_ATTEMPT="1")
    worker = dataclasses.replace(execution.worker(rehearses=False), imports=None, lines=None)
    return worker(JobPayload(facts=facts, config=freeze_config(config)), lambda report: None)
