"""REAL: the way to an agent of tau_bench, by an adapter that the user names. Never a stand-in in its place."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable

from runyard import UsageError

from .attack import Settings
from .target import Target

PACKAGE = "tau_bench"


def check_real(adapter: str | None) -> None:
    """Checks, without importing anything heavy, that REAL can run here.

    Raises:
        UsageError: tau_bench is not installed, or no adapter is named.
    """
    if importlib.util.find_spec(PACKAGE) is None:
        raise _unavailable("it is not installed")
    if adapter is None:
        raise UsageError(
            f"mode REAL needs an adapter for {PACKAGE}",
            where="airline.adapter",
            todo="name a function that takes the settings and returns a target, such as adapter=my_agent.make_target; "
            "docs/airline.md says what a target is",
        )


def real_target(adapter: str | None, settings: Settings) -> Target:
    """The target that the adapter makes, after tau_bench could be imported.

    Raises:
        UsageError: tau_bench cannot be imported, or there is no such adapter.
    """
    check_real(adapter)
    try:
        importlib.import_module(PACKAGE)
    except ImportError as error:
        raise _unavailable(str(error)) from error
    return _function(str(adapter))(settings)


def _function(name: str) -> Callable[[Settings], Target]:
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, ValueError, AttributeError) as error:
        raise UsageError(
            f"there is no adapter {name!r} ({error})",
            where="airline.adapter",
            todo="give the dotted name of a function that Python can import, such as my_agent.make_target",
        ) from error
    if not callable(found):
        raise UsageError(f"{name!r} is no function", where="airline.adapter", todo="name the function that makes it")
    make: Callable[[Settings], Target] = found
    return make


def _unavailable(reason: str) -> UsageError:
    return UsageError(
        f"mode REAL needs {PACKAGE}, which cannot be imported ({reason})",
        where="airline.mode",
        todo=f"install {PACKAGE}, or choose mode=SHIM or mode=SEEDED_SHIM, which are stand-ins and say so",
    )
