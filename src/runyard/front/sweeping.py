"""Starting a sweep from Python: ``runyard.sweep``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from runyard.base import UsageError, quoted
from runyard.front.functions import keep_function
from runyard.front.handle import SweepHandle
from runyard.front.quoting import overrides_of
from runyard.front.starting import Target, start_application


def sweep(
    target: str | Path | Callable[[Any], Any],
    parameters: Mapping[str, Any],
    *,
    config: Any = None,
    launcher: str = "local",
    seeds: int | Sequence[int] | None = None,
    max_jobs: int | None = None,
    resources: Mapping[str, Any] | None = None,
    gpus: int | Sequence[int] | None = None,
    experiment: str | None = None,
    label: str | None = None,
    dir: str | Path | None = None,
    n_jobs: int | None = None,
    overrides: Sequence[str] = (),
    cwd: Path | None = None,
    wait: bool = False,
) -> SweepHandle:
    """Starts a sweep of a function or a Hydra application in a process of its own, and returns its handle.

    Args:
        target: a function of one parameter, its config, which is annotated with a dataclass; or the name of an
            application's module, or the path of its script, which ends in ``.py``.
        parameters: by name, a list, tuple or range to sweep over, or a value that is fixed.
        config: of a function, an instance of a dataclass whose values stand where nothing else is given; None takes
            the class that the parameter is annotated with.
        launcher: ``local`` or ``slurm``: ``+runyard=`` on the command line.
        seeds: ``hydra.sweeper.seeds``: how many, or which.
        max_jobs: ``hydra.sweeper.max_jobs``: no more jobs than that.
        resources: what each job asks for (``gpus``, ``nodes``, ``cpus``, ``mem_gb``).
        gpus: ``hydra.launcher.gpus``: how many devices this machine has to lend, or which; found by itself by default.
        experiment: ``hydra.callbacks.runyard.experiment``: what the sweep is filed under; a function's name by
            default.
        label: ``hydra.callbacks.runyard.label``: a word in the name of the sweep.
        dir: ``hydra.callbacks.runyard.root``: the folder that sweeps lie in; ``multirun`` by default.
        n_jobs: how many jobs run at a time; 1 is one after the other.
        overrides: further words of the command line, in Hydra's own syntax.
        cwd: where the application is started; here by default.
        wait: whether to return only when it has ended.

    Raises:
        UsageError: the application refused, and the message is its own; or the function cannot be swept.
        RunyardError: it ended, or hung, before the sweep had a directory.
    """
    settings = {
        "hydra.sweeper.seeds": list(seeds) if isinstance(seeds, Sequence) else seeds,
        "hydra.sweeper.max_jobs": max_jobs,
        "hydra.launcher.n_jobs": n_jobs,
        "hydra.launcher.gpus": list(gpus) if isinstance(gpus, Sequence) else gpus,
        "hydra.callbacks.runyard.experiment": experiment,
        "hydra.callbacks.runyard.label": label,
        "hydra.callbacks.runyard.root": None if dir is None else str(dir),
        **{f"hydra.launcher.resources.{key}": value for key, value in (resources or {}).items()},
    }
    given = [f"{key}={quoted(value)}" for key, value in settings.items() if value is not None]
    words = [f"+runyard={launcher}", *overrides, *overrides_of(parameters), *given]
    handle = SweepHandle(start_application(_startable(target, config), words, cwd=cwd).dir)
    if wait:
        handle.wait()
    return handle


def _startable(target: str | Path | Callable[[Any], Any], config: Any) -> Target:
    if not isinstance(target, str | Path):
        return keep_function(target, config)
    if config is not None:
        raise UsageError("an application has a config of its own", where="config", todo="give its values as parameters")
    return target
