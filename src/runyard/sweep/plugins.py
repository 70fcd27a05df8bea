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
from runyard.compose import Composer
from runyard.sweep.controller import Outcomes
from runyard.sweep.execution import Application, Execution, new_execution
from runyard.sweep.opening import open_sweep
from runyard.sweep.planning import Plan, extend_plan
from runyard.sweep.settings import LAUNCHER_KEYS, LauncherSettings, launcher_settings
from runyard.sweep.sweeping import (
    SweeperSettings,
    SweepPoints,
    first_failure,
    points_of,
    run_batches,
    save_multirun,
    show_plan,
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

    Under our sweeper every job is planned before the first batch, and the sweeper says when the sweep is over.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        plain = {k: OmegaConf.to_container(v, resolve=True) if OmegaConf.is_config(v) else v for k, v in values.items()}
        self._values = plain
        self._settings: LauncherSettings = launcher_settings(plain)
        self._execution: Execution | None = None
        self._last: Outcomes | None = None
        self._ends_itself = True

    def prepare(self, app: Application, points: SweepPoints) -> None:
        """Plans every job at once, for our sweeper; their batches are launched after that.

        Raises:
            UsageError: a job asks for more than this machine has, or cannot be planned. Nothing is left on disk.
        """
        self._plan(app, points.jobs, 0, points.names)
        self._ends_itself = False

    def launch(self, app: Application, overrides: Sequence[Sequence[str]], first: int) -> Sequence[JobReturn]:
        """Runs one batch and returns its results in order."""
        execution = self._execution
        if execution is None or first not in execution.plan.jobs:
            execution = self._plan(app, overrides, first, None)
        jobs = [execution.plan.jobs[first + i] for i in range(len(overrides))]
        self._last = execution.run([(job, ()) for job in jobs])
        if self._ends_itself or self._last.interrupted:
            execution.end(self._last)
        return execution.returns(jobs, self._last)

    def _plan(
        self, app: Application, overrides: Sequence[Sequence[str]], first: int, names: Sequence[str] | None
    ) -> Execution:
        execution = self._execution
        if execution is not None:
            execution.add_jobs(overrides, first, names)
            return execution
        execution = new_execution(app, self._settings, self._values)
        try:
            execution.add_jobs(overrides, first, names)
        except Exception:
            execution.opened.abandon()
            raise
        self._execution = execution
        return execution

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
    opened = open_sweep(app.config)
    ours = getattr(launcher, "local_launch", None)
    plan = Plan(composer=Composer(app.config, app.context.config_loader))
    try:
        points = points_of(app, settings, arguments)
        if isinstance(ours, LocalLaunch) and not settings.dry_run:
            ours.prepare(app, points)
        else:
            extend_plan(plan, opened.dir, app.config, points.jobs, 0, points.names)
    except Exception:
        opened.abandon()
        raise
    if settings.dry_run:
        show_plan(app, opened, plan, points)
        return []
    save_multirun(app.config)
    returns = run_batches(opened, launcher, points, settings.max_batch_size, ends=not isinstance(ours, LocalLaunch))
    if isinstance(ours, LocalLaunch):
        if not ours.end():
            raise SystemExit(1)
        return returns
    failed = first_failure(returns)
    if failed is not None:
        _ = failed.return_value  # raises what the job raised, as Hydra's own sweeper does
    return returns
