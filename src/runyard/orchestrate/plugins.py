"""What Hydra's plugin doors call: one object behind the launcher, one behind the sweeper."""

from __future__ import annotations

import errno
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from omegaconf import OmegaConf

import runyard.pipeline  # noqa: F401 (a task's calls find it loaded: its process is forked from this one)
from runyard import compose
from runyard.base import InterruptedSweep, RunyardError, StorageError, UsageError
from runyard.orchestrate.beginning import foreign_execution, new_execution
from runyard.orchestrate.execution import Execution
from runyard.orchestrate.jobs import Outcomes
from runyard.orchestrate.opening import LAUNCHER_KEYS, Application, LauncherSettings, launcher_settings
from runyard.orchestrate.planning import SweeperSettings
from runyard.orchestrate.sweeping import first_failure, left_lines, run_batches, save_multirun, show_plan


@contextmanager
def plain_exit() -> Iterator[None]:
    """At the border to Hydra: our errors become one message and their exit code, without a traceback."""
    try:
        yield
    except InterruptedSweep as error:
        raise SystemExit(error.exit_code) from None
    except RunyardError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(error.exit_code) from None
    except OSError as error:
        if error.errno not in _FULL:
            raise
        sys.stderr.write(f"{not_submitted(error, Path(error.filename or os.curdir))}\n")
        raise SystemExit(UsageError.exit_code) from None


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def not_submitted(error: OSError | StorageError, folder: Path) -> UsageError:
    """What is said of a sweep that could not be submitted because a file, mostly of ``folder``, was not written."""
    if isinstance(error, StorageError):
        problem, where = error.problem, error.where
    else:
        problem, where = error.strerror or str(error), str(error.filename or folder)
    return UsageError(
        f"the sweep's files cannot be written: {problem}",
        where=where,
        todo="make room, then run the command again; nothing was submitted, and nothing has run",
    )


def run_application(main: Callable[[], object]) -> int:
    """Calls a function decorated with ``hydra.main``; returns the exit code for ``sys.exit``.

    Hydra ends with code 1 whatever went wrong; this ends with 2 and a message without a traceback where the user
    asked for what cannot be done, and names the closest known key of the launcher.
    """
    return compose.run_application(main, launcher_keys=LAUNCHER_KEYS)


class Launch(ABC):
    """A launcher's work on one sweep; its jobs may come in batches.

    Under our sweeper every job is submitted before the first batch, and the sweeper says when the sweep is over.
    ``values`` is what stands under ``hydra.launcher``.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        plain = {k: OmegaConf.to_container(v, resolve=True) if OmegaConf.is_config(v) else v for k, v in values.items()}
        self.values = plain
        self.execution: Execution | None = None
        self._ends_itself = True

    @abstractmethod
    def open(self, app: Application) -> Execution:
        """Opens the sweep."""

    @abstractmethod
    def run(self, execution: Execution, first: int, count: int) -> Sequence[JobReturn]:
        """Runs jobs that are submitted, or sees to it that they will be; returns the results there are, in order."""

    @abstractmethod
    def end(self) -> bool:
        """Ends the sweep: files, last words. Returns whether nothing went wrong."""

    def prepare(self, execution: Execution) -> None:
        """Takes a sweep all of whose jobs are submitted; their batches are launched after that."""
        self.execution = execution
        self._ends_itself = False

    def launch(self, app: Application, overrides: Sequence[Sequence[str]], first: int) -> Sequence[JobReturn]:
        """Runs one batch and returns its results in order."""
        execution = self.execution
        if self._ends_itself or execution is None:
            execution = self._submit(app, overrides)
        return self.run(execution, first, len(overrides))

    def _submit(self, app: Application, overrides: Sequence[Sequence[str]]) -> Execution:
        execution = self.execution
        if execution is not None:
            execution.submit(overrides)
            return execution
        execution = self.open(app)
        with abandoned_on_failure(execution):
            execution.submit(overrides)
        self.execution = execution
        return execution


class LocalLaunch(Launch):
    """The local launcher's work."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.settings: LauncherSettings = launcher_settings(self.values)
        self._last: Outcomes | None = None

    def open(self, app: Application) -> Execution:  # noqa: D102
        return new_execution(app, self.settings, self.values)

    def run(self, execution: Execution, first: int, count: int) -> Sequence[JobReturn]:  # noqa: D102
        self._last = execution.run(first, count)
        if self._ends_itself or self._last.interrupted:
            execution.end(self._last)
        return execution.returns(first, count, self._last.returned)

    def end(self) -> bool:  # noqa: D102
        if self.execution is None or self._last is None:
            return True
        return self.execution.end(self._last) and not self._last.stopped_by_rule


@contextmanager
def abandoned_on_failure(execution: Execution) -> Iterator[None]:
    """Of a sweep that cannot be submitted nothing is left; what Hydra says of its overrides is wrong usage."""
    try:
        yield
    except HydraException as error:
        execution.opened.abandon()
        raise UsageError(compose.wording(error)) from error
    except OSError as error:
        execution.opened.abandon()
        raise not_submitted(error, execution.opened.dir) from error
    except Exception:
        execution.opened.abandon()
        raise


def run_sweep(
    app: Application, launcher: Launcher, settings: SweeperSettings, arguments: Sequence[str]
) -> list[Sequence[JobReturn]]:
    """The sweeper's work: plans, and runs by the launcher that was chosen.

    Raises:
        SystemExit: with code 1 when a job of our own launcher did not complete.
        Exception: the first failure, when another launcher reports one; after the sweep's files are made.
    """
    found = getattr(launcher, "runyard_launch", None)
    ours = found if isinstance(found, Launch) else None
    execution = ours.open(app) if ours is not None else foreign_execution(app)
    with abandoned_on_failure(execution):
        points = execution.submit_points(settings, arguments)
        if settings.dry_run or ours is None:
            execution.plan_all()
    if settings.dry_run:
        show_plan(execution, points.left)
        return []
    for line in left_lines(points.left):
        sys.stderr.write(f"{line.strip()}\n")
    save_multirun(app.config)
    if ours is None:
        return _run_foreign(execution, launcher, settings.max_batch_size)
    ours.prepare(execution)
    size = settings.max_batch_size or max(1, execution.jobs.count)
    starts = range(0, execution.jobs.count, size)
    returns = [ours.run(execution, first, min(size, execution.jobs.count - first)) for first in starts]
    if not ours.end():
        raise SystemExit(1)
    return returns


def _run_foreign(execution: Execution, launcher: Launcher, size: int | None) -> list[Sequence[JobReturn]]:
    returns = run_batches(execution, launcher, size)
    failed = first_failure(returns)
    if failed is not None:
        _ = failed.return_value  # raises what the job raised, as Hydra's own sweeper does
    return returns
