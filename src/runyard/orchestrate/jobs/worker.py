"""What happens in a job's own process: record, run by Hydra, record the result, report."""

from __future__ import annotations

import copy
import logging
import pickle
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext, TaskFunction

from runyard.base import RunyardError
from runyard.compose import Choices, JobOrder, Rehearsal, prepare_logging, run_as_hydra
from runyard.execute import Report
from runyard.orchestrate.jobs.running import Ending, JobFacts, RunningJob
from runyard.orchestrate.opening import seed_of
from runyard.record import Imports, packages

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPayload:
    """What a worker is told of one attempt.

    ``order`` makes the job of the composition of ``choices``; where there is none, or the worker does not have it,
    ``config`` is the job's whole config, pickled.
    """

    facts: JobFacts
    choices: Choices | None = None
    order: JobOrder | None = None
    config: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """What a worker tells its controller, after it has written its record.

    ``returned`` is what the task returned or raised, pickled; None when it cannot be.
    """

    ending: Ending
    working_dir: str | None = None
    task_name: str | None = None
    returned: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Runs jobs of one sweep; callable in a job's process.

    ``rehearsals`` are what can be done for the jobs of a composition before they are forked, by choices.
    ``imports`` are those that the provenance tells of, where a job's process has them. ``lines`` is the provenance as
    it stands in a record, where that has been made already.
    """

    task_function: TaskFunction
    context: HydraContext
    rehearsals: Mapping[Choices, Rehearsal]
    provenance: Mapping[str, Any]
    seed_key: str | None
    imports: Imports | None = None
    lines: str | None = None

    def ready(self) -> None:
        """Does what all jobs have in common; in the process that they are forked from."""
        packages()
        prepare_logging(self.rehearsals.values())

    def ahead(self, payload: JobPayload) -> None:
        """Does what can be done for a job before its turn, in the process that will run it."""
        rehearsal = self.rehearsals.get(payload.choices) if payload.choices is not None else None
        if rehearsal is not None and payload.order is not None:
            rehearsal.prepare(payload.order, self.context)

    def __call__(self, payload: JobPayload, report: Report) -> int:
        """Runs one job and returns the exit code of its process."""
        running = RunningJob(payload.facts, self.provenance, imports=self.imports, lines=self.lines)
        result: JobReturn | None = None
        try:
            running.begin()
            result = self._run(payload, running)
            if result.status is JobStatus.COMPLETED:
                ending = running.succeed(result._return_value)
            else:
                ending = _failed(running, result._return_value)
        except BaseException as error:  # the process border: also SystemExit and KeyboardInterrupt are results
            ending = _failed(running, error)
        report(pickle.dumps(_report_of(ending, result)))
        return ending.attempt["exit_code"] or 0

    def _run(self, payload: JobPayload, running: RunningJob) -> JobReturn:
        rehearsal = self.rehearsals.get(payload.choices) if payload.choices is not None else None
        if rehearsal is not None and payload.order is not None:
            try:
                return rehearsal.run(payload.order, self.task_function, self.context)
            finally:
                running.seed = seed_of(rehearsal.task, self.seed_key)
        if payload.config is None:
            raise RunyardError(f"job {payload.facts.job} came without its config")
        config = pickle.loads(payload.config)
        running.seed = seed_of(config, self.seed_key)
        return run_as_hydra(config, self.task_function, self.context)


def unrecorded(context: HydraContext) -> HydraContext:
    """A context without our own callback: the worker keeps the record, and it would stand aside."""
    callbacks = copy.copy(context.callbacks)
    callbacks.callbacks = [c for c in callbacks.callbacks if type(c).__module__ != "hydra_plugins.runyard.callback"]
    return HydraContext(config_loader=context.config_loader, callbacks=callbacks)


def fail_before_task(payload: JobPayload, provenance: Mapping[str, Any], error: BaseException, report: Report) -> int:
    """Records that a job's process did not come as far as its task; returns the exit code."""
    running = RunningJob(payload.facts, provenance)
    running.begin()
    ending = _failed(running, error)
    report(pickle.dumps(_report_of(ending, None)))
    return ending.attempt["exit_code"] or 1


def _failed(running: RunningJob, error: BaseException) -> Ending:
    ending = running.fail(error)
    info = ending.attempt["error"]
    if info is not None:
        sys.stderr.write((info["traceback"] or f"{info['type']}: {info['message']}") + "\n")
    return ending


def _report_of(ending: Ending, result: JobReturn | None) -> JobReport:
    return JobReport(
        ending=ending,
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
