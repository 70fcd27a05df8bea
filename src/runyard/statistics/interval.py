"""An interval: two bounds, the confidence that they were made for, and how. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A two-sided confidence interval.

    ``level`` is the nominal confidence, such as 0.95. ``method`` names what made it: ``student``, ``bootstrap``,
    ``wilson``, ``paired t``, ``welch``, ``agresti-caffo``. Bounds are equal where the values do not spread.
    """

    low: float
    high: float
    level: float
    method: str

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def checked_level(level: float) -> float:
    """The level, when it is one.

    Raises:
        ValueError: it is not between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"a confidence level lies between 0 and 1, such as 0.95, not {level!r}")
    return level


def finite(name: str, value: float) -> float:
    """The value as a float, when it is a finite number.

    Raises:
        ValueError: it is not; whoever calls decides what to leave out, and says so.
    """
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} is {number}: leave out what is no finite number, and say so")
    return number
