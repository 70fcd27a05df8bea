"""Samples of continuous and whole-number intervals: random, Sobol', Latin hypercube. Pure and seeded."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from runyard.base import UsageError, unknown_name
from runyard.plan.dimension import Dimension, Listed

if TYPE_CHECKING:
    import numpy as np

SAMPLERS = ("random", "sobol", "lhs")
Unit: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A key that takes any value from ``low`` to ``high``; whole numbers, both ends included, with ``is_integer``.

    ``is_log`` spreads the samples evenly over the logarithm.

    Raises:
        UsageError: the ends are in the wrong order, or a logarithm of what is not positive is asked for.
    """

    name: str
    low: float
    high: float
    is_integer: bool = False
    is_log: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high or not all(map(math.isfinite, (self.low, self.high))):
            raise UsageError(
                f"the interval of {self.name} goes from {self.low} to {self.high}",
                where=self.name,
                todo="give two finite ends, the smaller one first",
            )
        if self.is_log and self.low <= 0:
            raise UsageError(
                f"the interval of {self.name} is logarithmic and begins at {self.low}",
                where=self.name,
                todo="begin above 0, or take the tag log away",
            )

    def at(self, unit: float) -> str:
        """The value at a place in [0, 1), as it is written in an override."""
        low, high = float(self.low), float(self.high) + (1.0 if self.is_integer else 0.0)
        if self.is_log:
            value = math.exp(math.log(low) + unit * (math.log(high) - math.log(low)))
        else:
            value = low + unit * (high - low)
        if self.is_integer:
            return str(min(int(self.high), max(int(self.low), math.floor(value))))
        return repr(min(max(value, low), high))


def sample(intervals: Sequence[Interval], count: int, sampler: str, seed: int) -> Dimension:
    """``count`` samples of all intervals together.

    ``random`` draws independent uniform numbers; ``sobol`` takes a scrambled Sobol' sequence (Owen 1998), whose
    balance is best at powers of two; ``lhs`` a Latin hypercube (McKay, Beckman and Conover 1979).

    Raises:
        UsageError: the sampler is not known, its library is missing, or ``count`` is not positive.
    """
    if sampler not in SAMPLERS:
        raise unknown_name("sampler", sampler, SAMPLERS, where="hydra.sweeper.sampler")
    if count < 1:
        raise UsageError(f"n_samples is {count}", where="hydra.sweeper.n_samples", todo="give a number of at least 1")
    units = _units(len(intervals), count, sampler, seed)
    names = tuple(interval.name for interval in intervals)
    rows = [
        tuple(f"{interval.name}={interval.at(float(u))}" for interval, u in zip(intervals, row, strict=True))
        for row in units
    ]
    return Listed(names, rows)


def _units(dimensions: int, count: int, sampler: str, seed: int) -> Unit:
    if sampler == "random":
        import numpy as np  # not above: every controller would carry it, and every fork copy its pages

        return np.random.default_rng(seed).random((count, dimensions))
    try:
        from scipy.stats import qmc
    except ImportError as exc:
        raise UsageError(
            f"the sampler {sampler} needs scipy, which is not installed",
            where="hydra.sweeper.sampler",
            todo="install runyard[sampling], or take sampler=random",
        ) from exc
    kind: Any = {"sobol": qmc.Sobol, "lhs": qmc.LatinHypercube}[sampler]
    argument = "rng" if "rng" in inspect.signature(kind).parameters else "seed"  # renamed in scipy 1.15
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a number that is no power of two: the documentation tells
        drawn: Unit = kind(dimensions, **{argument: seed}).random(count)
    return drawn
