"""What a stage says that it needs: names and numbers are those of a job's resources. It asks nobody for anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from runyard.base import UsageError, unknown_name

_RULES: dict[str, tuple[Callable[[float], bool], str]] = {
    "cpus": (lambda n: n >= 1 and n == int(n), "a whole number of at least 1"),
    "gpus": (lambda n: n >= 0 and (n < 1 or n == int(n)), "a whole number, or a part of 1 as 0.5"),
    "mem_gb": (lambda n: n > 0, "a number above 0, or null for no limit"),
    "nodes": (lambda n: n >= 1 and n == int(n), "a whole number of at least 1"),
}


def check_resources(stage: str, given: Mapping[str, Any]) -> None:
    """Refuses what a job could not ask for either.

    Raises:
        UsageError: a name is not known, or a value is out of range.
    """
    where = f"stages.{stage}.resources"
    for name, value in given.items():
        if name not in _RULES:
            raise unknown_name("key", str(name), tuple(_RULES), where=where)
        holds, wanted = _RULES[name]
        if value is None and name == "mem_gb":
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not holds(value):
            raise UsageError(f"{name} is {value}", where=f"{where}.{name}", todo=f"give {wanted}")
