"""How jobs are kept apart from the controller and from each other: chosen, said in words, and made into a pool."""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.utils import configure_log
from omegaconf import DictConfig

from runyard.base import UsageError
from runyard.execute import ForkPool, InlinePool, Pool, Program, Report, SpawnPool, Work, call_command
from runyard.orchestrate.jobs.spawned import SpawnedSweep
from runyard.orchestrate.jobs.worker import JobPayload, Worker
from runyard.orchestrate.opening import LauncherSettings
from runyard.record import Entry

_KEY = "hydra.launcher.isolation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """``kind`` is ``fork``, ``spawn`` or ``inline``; ``words`` are for the user, empty when there is nothing to say."""

    kind: str
    words: str = ""


def check_isolation(wanted: str, entry: Entry | None) -> None:
    """Raises UsageError when jobs are to be programs of their own and the application was not started as one."""
    if wanted == "spawn" and entry is None:
        raise UsageError(
            "the application was not started as a program (python FILE or python -m MODULE), so it cannot be started "
            "again for each job",
            where=f"{_KEY}=spawn",
            todo="start it from a command line, or use fork",
        )


def choose_isolation(settings: LauncherSettings, entry: Entry | None, obstacles: Sequence[str]) -> Isolation:
    """How jobs are run.

    Args:
        settings: what the user wants.
        entry: how the application was started; None when it cannot be started again.
        obstacles: what forbids to fork this process.
    """
    if settings.isolation == "inline":
        return Isolation(kind="inline", words=_not_enforced(settings))
    if settings.isolation == "spawn" or not obstacles:
        return Isolation(kind="spawn" if settings.isolation == "spawn" else "fork")
    seen = f"the application's process has {', '.join(obstacles)}"
    if settings.isolation == "auto" and entry is not None:
        return Isolation(
            kind="spawn",
            words=f"{seen}: each job starts in a fresh interpreter. Insist on forking with {_KEY}=fork",
        )
    way = f"or use {_KEY}=spawn" if entry is not None else "or start it as a program, by python FILE"
    return Isolation(
        kind="fork",
        words=f"{seen}; jobs are forked without that, and may hang. Make it in the task, not at import, {way}",
    )


def _not_enforced(settings: LauncherSettings) -> str:
    limits = {"timeout_min": settings.timeout_min, "resources.mem_gb": settings.resources.mem_gb}
    found = [f"hydra.launcher.{key}" for key, value in limits.items() if value is not None]
    return f"jobs run in this process, where nothing enforces {' and '.join(found)}" if found else ""


def make_pool(isolation: Isolation, worker: Worker, config: DictConfig, entry: Entry | None) -> Pool:
    """The pool that runs jobs so.

    Args:
        isolation: as chosen.
        worker: runs jobs; with rehearsals only where they are forked.
        config: of the sweep.
        entry: how the application was started.
    """
    if isolation.kind == "inline":
        return InlinePool(_inline(worker, config))
    if isolation.kind == "spawn" and entry is not None:
        return SpawnPool(_program(worker, entry))
    return ForkPool(worker, worker.ready, worker.ahead)


def _inline(worker: Worker, config: DictConfig) -> Work:
    def work(payload: JobPayload, report: Report) -> int:
        try:
            return worker(payload, report)
        finally:  # as Hydra's basic launcher does after its jobs; this also closes the job's log file
            configure_log(config.hydra.hydra_logging, config.hydra.verbose)

    return work


def _program(worker: Worker, entry: Entry) -> Program:
    common = SpawnedSweep(
        entry=entry,
        cwd=os.getcwd(),
        provenance=worker.provenance,
        seed_key=worker.seed_key,
        callbacks=_pickled_callbacks(worker.context.callbacks),
    )
    return Program(
        command=call_command(entry.python, entry.flags, "runyard.orchestrate.jobs.spawned", "main"),
        cwd=entry.cwd,
        common=pickle.dumps(common),
    )


def _pickled_callbacks(callbacks: Any) -> bytes:
    """As every launcher of Hydra that starts processes hands them on.

    Raises:
        UsageError: a callback cannot be pickled.
    """
    try:
        return pickle.dumps(callbacks)
    except Exception as exc:  # whatever a foreign class does when it is pickled
        raise UsageError(
            f"a callback of hydra.callbacks cannot be pickled ({exc}), as every job's program needs it",
            where=f"{_KEY}=spawn",
            todo=f"leave what cannot be pickled out of its state, or use {_KEY}=fork",
        ) from exc
