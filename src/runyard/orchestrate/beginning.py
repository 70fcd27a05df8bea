"""The beginning of a sweep: it is opened, to run on this machine, or wherever, or by a launcher that is not ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydra.core.utils import setup_globals

from runyard.compose import Composer
from runyard.orchestrate.execution import Execution
from runyard.orchestrate.jobs import check_isolation
from runyard.orchestrate.opening import Application, LauncherSettings, open_sweep
from runyard.orchestrate.planning import JobResources, slots_of
from runyard.record import current_entry


def new_execution(app: Application, settings: LauncherSettings, launcher_values: Mapping[str, Any]) -> Execution:
    """Opens a sweep that is to run on this machine.

    Raises:
        UsageError: a setting is wrong, or the directory cannot be had.
    """
    slots = slots_of(settings)
    resources = JobResources(settings.resources, settings.rules, settings.resources_from)
    for wanted in resources.every():
        slots.check(wanted)
    check_isolation(settings.isolation, current_entry(str(app.config.hydra.runtime.cwd)))
    return open_execution(app, settings, launcher_values)


def open_execution(app: Application, settings: LauncherSettings, launcher_values: Mapping[str, Any]) -> Execution:
    """Opens a sweep that is to run wherever.

    Raises:
        UsageError: a setting is wrong, or the directory cannot be had.
    """
    setup_globals()
    opened = open_sweep(app.config)
    composer = Composer(app.config, app.context.config_loader, exclude=opened.settings.exclude_keys)
    return Execution(
        app=app,
        opened=opened,
        composer=composer,
        settings=settings,
        launcher_values=launcher_values,
        resources=JobResources(settings.resources, settings.rules, settings.resources_from),
    )


def foreign_execution(app: Application) -> Execution:
    """Opens a sweep whose jobs another launcher runs; it is planned here, and not run.

    Raises:
        UsageError: the directory cannot be had.
    """
    return open_execution(app, LauncherSettings(), {})
