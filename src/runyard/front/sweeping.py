"""Starting a sweep from Python: ``runyard.sweep``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runyard.front.handle import SweepHandle
from runyard.front.quoting import overrides_of, quoted
from runyard.front.starting import start_application


def sweep(
    target: str | Path,
    parameters: Mapping[str, Any],
    *,
    launcher: str = "local",
    seeds: int | Sequence[int] | None = None,
    max_jobs: int | None = None,
    resources: Mapping[str, Any] | None = None,
    experiment: str | None = None,
    n_jobs: int | None = None,
    overrides: Sequence[str] = (),
    cwd: Path | None = None,
    wait: bool = False,
) -> SweepHandle:
    """Starts a sweep of a Hydra application in a process of its own, and returns its handle.

    Args:
        target: the name of the application's module, or the path of its script, which ends in ``.py``.
        parameters: by name, a list, tuple or range to sweep over, or a value that is fixed.
        launcher: ``local`` or ``slurm``: ``+runyard=`` on the command line.
        seeds: ``hydra.sweeper.seeds``: how many, or which.
        max_jobs: ``hydra.sweeper.max_jobs``: no more jobs than that.
        resources: what each job asks for (``gpus``, ``nodes``, ``cpus``, ``mem_gb``).
        experiment: ``hydra.callbacks.runyard.experiment``: what the sweep is filed under.
        n_jobs: how many jobs run at a time; 1 is one after the other.
        overrides: further words of the command line, in Hydra's own syntax.
        cwd: where the application is started; here by default.
        wait: whether to return only when it has ended.

    Raises:
        UsageError: the application refused; the message is its own.
        RunyardError: it ended, or hung, before the sweep had a directory.
    """
    settings = {
        "hydra.sweeper.seeds": list(seeds) if isinstance(seeds, Sequence) else seeds,
        "hydra.sweeper.max_jobs": max_jobs,
        "hydra.launcher.n_jobs": n_jobs,
        "hydra.callbacks.runyard.experiment": experiment,
        **{f"hydra.launcher.resources.{key}": value for key, value in (resources or {}).items()},
    }
    given = [f"{key}={quoted(value)}" for key, value in settings.items() if value is not None]
    words = [f"+runyard={launcher}", *overrides, *overrides_of(parameters), *given]
    handle = SweepHandle(start_application(target, words, cwd=cwd).dir)
    if wait:
        handle.wait()
    return handle
