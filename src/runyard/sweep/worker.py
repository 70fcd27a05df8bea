"""What happens in a job's own process: compose, record, run by Hydra, record the result, report."""

from __future__ import annotations

import logging
import pickle
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hydra.core.utils import JobReturn, JobStatus, run_job
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from runyard.execute import Report
from runyard.record import RunRecord
from runyard.sweep.config import seed_of
from runyard.sweep.running import JobFacts, RunningJob

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """What a worker tells its controller. ``run`` is the record without its provenance.

    ``returned`` is what the task returned or raised, pickled; None when it cannot be.
    """

    run: Mapping[str, Any]
    completed: bool
    working_dir: str | None = None
    task_name: str | None = None
    returned: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Runs jobs of one sweep; callable in a job's process. ``config_of`` composes a job's config by its number."""

    task_function: TaskFunction
    context: HydraContext
    config_of: Callable[[int], DictConfig]
    provenance: Mapping[str, Any]
    seed_key: str | None

    def __call__(self, facts: JobFacts, report: Report) -> int:
        """Runs one job and returns the exit code of its process."""
        running: RunningJob | None = None
        result: JobReturn | None = None
        try:
            config = self.config_of(facts.job)
            running = RunningJob(facts, self.provenance, seed_of(config, self.seed_key))
            running.begin()
            result = run_job(
                hydra_context=self.context,
                task_function=self.task_function,
                config=config,
                job_dir_key="hydra.sweep.dir",
                job_subdir_key="hydra.sweep.subdir",
            )
            if result.status is JobStatus.COMPLETED:
                record = running.succeed(result._return_value)
            else:
                record = _failed(running, result._return_value)
        except BaseException as error:  # the process border: also SystemExit and KeyboardInterrupt are results
            if running is None:
                running = RunningJob(facts, self.provenance)
                running.begin()
            record = _failed(running, error)
        report(pickle.dumps(_report_of(record, result)))
        return record.attempts[-1].exit_code or 0


def _failed(running: RunningJob, error: BaseException) -> RunRecord:
    record = running.fail(error)
    info = record.attempts[-1].error
    if info is not None:
        sys.stderr.write((info.traceback or f"{info.type}: {info.message}") + "\n")
    return record


def _report_of(record: RunRecord, result: JobReturn | None) -> JobReport:
    run = record.to_json()
    run.pop("provenance")
    return JobReport(
        run=run,
        completed=record.state.value == "COMPLETED",
        working_dir=result.working_dir if result else None,
        task_name=result.task_name if result else None,
        returned=_pickled(result._return_value) if result else None,
    )


def _pickled(value: Any) -> bytes | None:
    try:
        return pickle.dumps(value)
    except Exception as exc:  # whatever a foreign class does when it is pickled
        if not isinstance(value, BaseException):
            log.warning("the task's return value cannot be pickled (%s): the sweeper gets None", exc)
        return None
