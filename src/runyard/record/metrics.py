"""Metrics: the flat mapping of names to numbers that a run reports, made from what its task returned."""

from __future__ import annotations

import logging
import numbers
import sys
from collections.abc import Mapping
from typing import Any

log = logging.getLogger(__name__)

#: the name of the metric when a task returns a bare number.
RETURN_VALUE = "return_value"


def metrics_of(value: Any) -> dict[str, int | float]:
    """The metrics in what a task returned.

    A mapping gives its numbers, nested ones joined by ``/`` (``{"eval": {"acc": 1}}`` gives ``eval/acc``).
    A bare number is ``return_value``; a list or tuple of numbers ``return_value_0`` and so on. Truth values count
    as 0 and 1, numpy's and torch's scalars as numbers. Data frames are tables and left out here; anything else
    in a mapping is left out with a warning in the job's log.
    """
    if value is None or is_frame(value):
        return {}
    if isinstance(value, Mapping):
        return _flatten(value, "")
    number = as_number(value)
    if number is not None:
        return {RETURN_VALUE: number}
    if isinstance(value, (list, tuple)):
        found = {f"{RETURN_VALUE}_{i}": as_number(v) for i, v in enumerate(value)}
        return {k: v for k, v in found.items() if v is not None}
    return {}


def frames_of(value: Any) -> dict[str, Any]:
    """The data frames in a mapping that a task returned, by name: they become tables."""
    if not isinstance(value, Mapping):
        return {}
    return {str(k): v for k, v in value.items() if is_frame(v)}


def is_frame(value: Any) -> bool:
    """Whether a value is a pandas DataFrame, without importing pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def as_number(value: Any) -> int | float | None:
    """A Python number from a number, a truth value or a scalar array; None when it is none of these."""
    if type(value) in (int, float):  # the usual case, many times faster than the abstract classes
        return value  # type: ignore[no-any-return]
    if isinstance(value, (bool, numbers.Integral)):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if getattr(value, "size", None) == 1 or (callable(getattr(value, "numel", None)) and value.numel() == 1):
        try:
            return as_number(value.item())
        except (TypeError, ValueError):
            return None
    return None


def _flatten(mapping: Mapping[Any, Any], prefix: str) -> dict[str, int | float]:
    flat: dict[str, int | float] = {}
    for key, value in mapping.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{name}/")
        elif value is not None and not is_frame(value):
            number = as_number(value)
            if number is None:
                log.warning("metric %r is a %s, not a number: not recorded", name, type(value).__name__)
            else:
                flat[name] = number
    return flat
