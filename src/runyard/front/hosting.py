"""Running a function as an application of Hydra: it is restored with its config, and Hydra is called with both."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from runyard.base import UsageError
from runyard.cluster import frozen_path
from runyard.front.functions import Kept
from runyard.orchestrate import run_application
from runyard.record import SweepPaths, take_own_file

_CONFIG = "runyard_function"


def run() -> int:
    """Reads the function that the program was given and calls Hydra with it; returns the exit code."""
    file = take_own_file()
    return run_application(lambda: _main(file))


def _main(file: Path) -> None:
    kept = _read(file)
    is_taken_up = file.parent.name == SweepPaths(Path()).snapshot.name
    path = frozen_path(file.parent.parent, kept.path) if is_taken_up else kept.path
    sys.path[1:1] = [folder for folder in path if folder not in sys.path]
    function, config = _restored(kept)
    ConfigStore.instance().store(name=_CONFIG, node=_open(OmegaConf.structured(config)))

    def task(cfg: DictConfig) -> Any:
        return function(OmegaConf.to_object(cfg))

    # Hydra looks for configs in the package of the task's module, and calls the job by the module's last part
    task.__module__ = f"runyard.front.{kept.name}"
    hydra.main(version_base="1.3", config_path=None, config_name=_CONFIG)(task)()


def _read(file: Path) -> Kept:
    try:
        kept = pickle.loads(file.read_bytes())
    except OSError as error:
        todo = "give the sweep back the file, or start it again from Python"
        what = f"the function of this sweep is not there ({error.strerror})"
        raise UsageError(what, where=str(file), todo=todo) from error
    if not isinstance(kept, Kept):
        raise UsageError("this file holds no function", where=str(file), todo="start it from Python: runyard.sweep")
    return kept


def _restored(kept: Kept) -> tuple[Any, Any]:
    """The function and its config, once all that they refer to has its place."""
    try:
        function, config, names = pickle.loads(kept.content)
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"the function {kept.name} cannot be imported again ({error})",
            where=f"sys.path as it was when the sweep was started: {', '.join(kept.path)[:500]}",
            todo="put its module back, or start the sweep again",
        ) from error
    if kept.source is not None:
        _settle(function, names)
        _note_source(kept)
    return function, config


def _settle(function: Any, names: dict[str, Any]) -> None:
    """Puts what came by value under ``__main__``, so that annotations and pickles find it there."""
    main = sys.modules["__main__"]
    for name, value in names.items():
        if isinstance(value, type) and not _is_found(value):
            value.__module__, value.__qualname__ = "__main__", name
    used = {name: value for name, value in function.__globals__.items() if not name.startswith("__")}
    vars(main).update({**used, **names})


def _is_found(kind: type) -> bool:
    """Whether a class stands in its module, so that a pickle of it needs but its name."""
    found: Any = sys.modules.get(kind.__module__)
    for part in kind.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is kind


def _note_source(kept: Kept) -> None:
    """Enters the script among the modules that were imported, so that the record says what code results come from.

    Of a notebook no file has the text: the path of one that is not there tells that nobody can compare it.
    """
    module = ModuleType("_source_of_the_function")
    module.__file__ = kept.source or f"a-notebook-{kept.name}.py"
    sys.modules[module.__name__] = module


def _open(config: DictConfig) -> DictConfig:
    """A config whose values can be overridden, also where its dataclasses are frozen."""
    OmegaConf.set_readonly(config, None)
    for key in config:
        if not OmegaConf.is_missing(config, key) and not OmegaConf.is_interpolation(config, str(key)):
            value = config[key]
            if isinstance(value, DictConfig):
                _open(value)
    return config
