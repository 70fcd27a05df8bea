"""Overrides for Hydra's command line from values of Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runyard.base import UsageError, quoted


def overrides_of(parameters: Mapping[str, Any]) -> list[str]:
    """Overrides of a mapping: a list, tuple or range is swept, all else is fixed.

    Raises:
        UsageError: a list is empty, or a value cannot be given.
    """
    return [f"{name}={_swept(name, value)}" for name, value in parameters.items()]


def _swept(name: str, value: Any) -> str:
    if not isinstance(value, list | tuple | range):
        return quoted(value)
    if not value:
        raise UsageError("there is no value to sweep over", where=name, todo="give at least one")
    return ",".join(map(quoted, value))
