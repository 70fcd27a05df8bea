"""What Hydra's plugin doors call: one object behind the launcher, one behind the sweeper."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from omegaconf import OmegaConf

from runyard import compose
from runyard.base import InterruptedSweep, RunyardError, State
from runyard.sweep.execution import Application, Execution, new_execution
from runyard.sweep.settings import LAUNCHER_KEYS, LauncherSettings, launcher_settings
from runyard.sweep.sweeping import (
    SweeperSettings,
    first_failure,
    points_of,
    save_multirun,
    show_plan,
    sweep_with,
)


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


def run_application(main: Callable[[], object]) -> int:
    """Calls a function decorated with ``hydra.main``; returns the exit code for ``sys.exit``.

    Hydra ends with code 1 whatever went wrong; this ends with 2 and a message without a traceback where the user
    asked for what cannot be done, and names the closest known key of the launcher.
    """
    return compose.run_application(main, launcher_keys=LAUNCHER_KEYS)


class LocalLaunch:
    """The local launcher's work. One sweep; its jobs may come in batches.

    ``names`` are the swept keys when our sweeper tells them; ``ends_itself`` is False when the sweeper will say
    that the sweep is over.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        plain = {k: OmegaConf.to_container(v, resolve=True) if OmegaConf.is_config(v) else v for k, v in values.items()}
        self._values = plain
        self._settings: LauncherSettings = launcher_settings(plain)
        self._execution: Execution | None = None
        self._interrupted = False
        self._last: Any = None
        self.names: Sequence[str] | None = None
        self.ends_itself = True

    def launch(self, app: Application, overrides: Sequence[Sequence[str]], first: int) -> Sequence[JobReturn]:
        """Runs one batch and returns its results in order."""
        if self._execution is None:
            self._execution = new_execution(app, self._settings, self._values)
        execution = self._execution
        jobs = execution.add_jobs(overrides, first, self.names)
        self._last = execution.run([(job, ()) for job in jobs])
        if self.ends_itself or self._last.interrupted:
            execution.end(self._last)
        return execution.returns(jobs, self._last)

    def end(self) -> bool:
        """Ends the sweep: files, last words. Returns whether every job completed."""
        if self._execution is None or self._last is None:
            return True
        self._execution.end(self._last)
        return all(r.state is State.COMPLETED for r in self._execution.done.values()) and not self._last.stopped_by_rule


def run_sweep(
    app: Application, launcher: Launcher, settings: SweeperSettings, arguments: Sequence[str]
) -> list[Sequence[JobReturn]]:
    """The sweeper's work: plans, and runs by the launcher that was chosen.

    Raises:
        SystemExit: with code 1 when a job of our own launcher did not complete.
        Exception: the first failure, when another launcher reports one; after the sweep's files are made.
    """
    points = points_of(app, settings, arguments)
    if settings.dry_run:
        show_plan(app, points)
        return []
    ours = getattr(launcher, "local_launch", None)
    if isinstance(ours, LocalLaunch):
        return _run_ours(app, launcher, ours, settings, points)
    save_multirun(app.config)
    returns = sweep_with(app, launcher, points, settings.max_batch_size)
    failed = first_failure(returns)
    if failed is not None:
        _ = failed.return_value  # raises what the job raised, as Hydra's own sweeper does
    return returns


def _run_ours(
    app: Application, launcher: Launcher, ours: LocalLaunch, settings: SweeperSettings, points: Any
) -> list[Sequence[JobReturn]]:
    save_multirun(app.config)
    ours.names, ours.ends_itself = points.names, False
    size = settings.max_batch_size or len(points.jobs)
    returns = [
        launcher.launch(points.jobs[first : first + size], initial_job_idx=first)
        for first in range(0, len(points.jobs), size)
    ]
    if not ours.end():
        raise SystemExit(1)
    return returns
