"""The program of one job: starts the application anew, and runs the job where it would have called Hydra."""

from __future__ import annotations

import os
import pickle
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from hydra.core.utils import configure_log
from hydra.types import HydraContext

from runyard.base import UsageError
from runyard.compose import CapturedApplication, run_captured
from runyard.execute import Report, end_process, inherited
from runyard.orchestrate.jobs.worker import JobPayload, Worker, fail_before_task
from runyard.record import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class SpawnedSweep:
    """What every job of a sweep is told. ``cwd`` is the controller's, ``callbacks`` are its own, pickled."""

    entry: Entry
    cwd: str
    provenance: Mapping[str, Any]
    seed_key: str | None
    callbacks: bytes


def main() -> NoReturn:
    """Runs the job that this process was started for, and ends the process."""
    end_process(_run(*inherited()))


def _run(sweep: SpawnedSweep, payload: JobPayload, report: Report) -> int:
    def inside(captured: CapturedApplication) -> NoReturn:
        end_process(_run_inside(sweep, captured, payload, report))  # what follows the main function is not the job's

    entry = sweep.entry
    try:
        run_captured(entry.kind, entry.target, entry.args, inside, folder=entry.folder)
    except SystemExit as error:
        return fail_before_task(payload, sweep.provenance, _ended_early(entry, error), report)
    except BaseException as error:  # an import that fails is the job's failure
        return fail_before_task(payload, sweep.provenance, error, report)
    return os.EX_SOFTWARE  # not reached: the process has ended inside


def _run_inside(sweep: SpawnedSweep, captured: CapturedApplication, payload: JobPayload, report: Report) -> int:
    try:
        try:
            worker = _worker(sweep, captured, payload)
        except Exception as error:  # such as a callback that cannot be unpickled
            return fail_before_task(payload, sweep.provenance, error, report)
        return worker(payload, report)
    except BaseException:  # the process border: the application must not catch what is not its own
        traceback.print_exc()
        return os.EX_SOFTWARE


def _worker(sweep: SpawnedSweep, captured: CapturedApplication, payload: JobPayload) -> Worker:
    os.chdir(sweep.cwd)
    if payload.config is not None:  # as logging is in a process in which Hydra has started a sweep
        hydra = pickle.loads(payload.config).hydra
        configure_log(hydra.hydra_logging, hydra.verbose)
    return Worker(
        task_function=captured.task_function,
        context=HydraContext(config_loader=captured.loader, callbacks=pickle.loads(sweep.callbacks)),
        rehearsals={},
        provenance=sweep.provenance,
        seed_key=sweep.seed_key,
    )


def _ended_early(entry: Entry, error: SystemExit) -> UsageError:
    return UsageError(
        f"the program ended (sys.exit({error.code!r})) before it called its hydra.main function",
        where=entry.target,
        todo="check that it still runs with the same arguments",
    )
