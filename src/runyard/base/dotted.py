"""Dotted names in configs: the function, or whatever else, that one stands for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from runyard.base.errors import UsageError


def object_of(dotted: str, *, where: str, todo: str) -> Any:
    """What ``module.name`` stands for; imports the module.

    Args:
        dotted: the name.
        where: the key of the config in which it stands, for the error.
        todo: what to give instead, for the error.

    Raises:
        UsageError: it cannot be imported.
    """
    module, _, name = dotted.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"{dotted!r} cannot be imported ({error})", where=where, todo=todo) from error


def function_of(dotted: str, *, where: str, todo: str) -> Callable[..., Any]:
    """The function that ``module.name`` stands for; takes and raises what ``object_of`` does.

    Raises:
        UsageError: it cannot be imported, or cannot be called.
    """
    found = object_of(dotted, where=where, todo=todo)
    if not callable(found):
        raise UsageError(f"{dotted!r} is no function", where=where, todo=todo)
    function: Callable[..., Any] = found
    return function
