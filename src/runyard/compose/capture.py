"""Starts an application as it was started before, and takes over where Hydra would compose and run.

The application's own file or module runs as ``__main__``, up to its call of the function that ``hydra.main``
decorates; there ``then`` gets the task function and Hydra's loader instead.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra._internal.hydra import Hydra
from hydra._internal.utils import (
    create_automatic_config_search_path,
    detect_calling_file_or_module_from_stack_frame,
    detect_calling_file_or_module_from_task_function,
    detect_task_name,
)
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.types import TaskFunction

from runyard.base import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedApplication:
    """The task function of an application, and the loader of its configs as they are now."""

    task_function: TaskFunction
    loader: ConfigLoader


def run_captured(
    kind: str,
    target: str,
    args: Sequence[str],
    then: Callable[[CapturedApplication], None],
    *,
    folder: str | None = None,
) -> None:
    """Runs ``then`` inside the application.

    Args:
        kind: ``script`` or ``module``.
        target: path of the script or name of the module.
        args: the arguments it was started with.
        then: called with the application, once.
        folder: where a module is looked for first; None for the working directory, as the interpreter does.

    Raises:
        UsageError: the program is not there any more, or it never calls a ``hydra.main`` function.
    """

    module: Any = sys.modules["hydra.main"]
    called: list[bool] = []

    def take_over(
        args: Any,
        args_parser: Any,
        task_function: TaskFunction,
        config_path: str | None,
        config_name: str | None,
        caller_stack_depth: int = 2,
        **_: Any,
    ) -> None:
        called.append(True)
        then(_application(task_function, args.config_path or config_path, caller_stack_depth + 1))

    original = module._run_hydra
    module._run_hydra = take_over
    try:
        _start(kind, target, args, folder)
    except SystemExit:
        if not called:
            raise  # else the program's own way to end after its main function; the caller has the result
    finally:
        module._run_hydra = original
    if not called:
        raise UsageError(
            "the program ended without calling its hydra.main function",
            where=target,
            todo="check that it still runs with the same arguments",
        )


def _application(task_function: TaskFunction, config_path: str | None, depth: int) -> CapturedApplication:
    file, module = detect_calling_file_or_module_from_task_function(task_function)
    if file is None and module is None:
        file, module = detect_calling_file_or_module_from_stack_frame(depth + 1)
    GlobalHydra.instance().clear()
    hydra = Hydra.create_main_hydra2(
        task_name=detect_task_name(file, module),
        config_search_path=create_automatic_config_search_path(file, module, config_path),
    )
    return CapturedApplication(task_function=task_function, loader=hydra.config_loader)


def _start(kind: str, target: str, args: Sequence[str], folder: str | None) -> None:
    sys.argv = [target, *args]
    if kind == "module":
        _look_first_in(folder or os.getcwd())
        runpy.run_module(target, run_name="__main__", alter_sys=True)
        return
    if not Path(target).exists():
        raise UsageError("the program that ran the sweep is not there any more", where=target, todo="restore it")
    _look_first_in(str(Path(target).resolve().parent))
    runpy.run_path(target, run_name="__main__")


def _look_first_in(folder: str) -> None:
    """Puts the program's folder in the place of ours; with ``-P`` or ``-I`` the interpreter gives neither a place."""
    if not getattr(sys.flags, "safe_path", sys.flags.isolated):  # Python 3.10 knows only -I
        sys.path[0] = folder
