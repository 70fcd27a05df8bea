"""Describes a sample: its mean, its spread, and an interval of the mean. Pure; scipy does the work."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from runyard.statistics.interval import Interval, checked_level, finite
from runyard.statistics.library import needed

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]

Method = Literal["student", "bootstrap"]

RESAMPLES = 9999
_LARGE = 1e300  # the sum of larger values may be too large for a float
_CELLS_AT_ONCE = 4_000_000  # of resampled values: 32 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A sample of ``n`` values. ``mean`` is NaN for n = 0; ``std`` (n - 1) and ``sem`` for n < 2.

    ``interval`` is one of the mean; None for n < 2, where nothing is known of the spread, and where that is too large
    for a float.
    """

    n: int
    mean: float
    std: float
    sem: float
    interval: Interval | None


def describe(values: Iterable[float], *, level: float = 0.95, method: Method = "student", seed: int = 0) -> Description:
    """The sample's statistics.

    ``student``: mean -+ t sem, exact for normal values. ``bootstrap``: bias-corrected and accelerated (Efron, 1987,
    Better Bootstrap Confidence Intervals), 9,999 resamples; it follows skewed values, but for fewer than about ten
    values it is too short. Values that are all equal have an interval of no width.

    Args:
        values: finite numbers.
        level: nominal confidence, between 0 and 1.
        method: how the interval is made.
        seed: of the resampling; the same seed gives the same interval.

    Raises:
        ValueError: a value is not finite, or ``level`` or ``method`` is none.
    """
    import numpy as np

    checked_level(level)
    if method not in ("student", "bootstrap"):
        raise ValueError(f"the method of an interval is 'student' or 'bootstrap', not {method!r}")
    sample = np.array([finite(f"value {at}", value) for at, value in enumerate(values)], dtype=np.float64)
    n = len(sample)
    mean = centre(sample)
    if n < 2:
        return Description(n=n, mean=mean, std=math.nan, sem=math.nan, interval=None)
    with np.errstate(over="ignore", invalid="ignore"):  # a spread that no float can hold is infinite
        std = float(sample.std(ddof=1)) if sample.min() < sample.max() else 0.0
    if not math.isfinite(std):
        return Description(n=n, mean=mean, std=std, sem=std, interval=None)
    sem = std / math.sqrt(n)
    low, high = mean, mean
    if std > 0:
        low, high = _student(mean, sem, n, level) if method == "student" else _bootstrap(sample, level, seed)
    return Description(n=n, mean=mean, std=std, sem=sem, interval=_interval(low, high, level, method))


def centre(sample: Floats) -> float:
    """The mean; exactly the value when all are equal; NaN when there are none."""
    if not len(sample):
        return math.nan
    if sample.min() == sample.max():
        return float(sample[0])
    return float((sample / len(sample)).sum()) if abs(sample).max() > _LARGE else float(sample.mean())


def _interval(low: float, high: float, level: float, method: str) -> Interval:
    return Interval(low=low, high=high, level=level, method=method)


def _student(mean: float, sem: float, n: int, level: float) -> tuple[float, float]:
    half = _quantile((1 + level) / 2, n - 1) * sem
    return mean - half, mean + half


@functools.lru_cache(maxsize=1024)  # a call takes 0.1 ms, and the cells of a sweep have mostly one n
def _quantile(p: float, freedom: int) -> float:
    with needed():
        from scipy.stats import t

    return float(t.ppf(p, freedom))


def _bootstrap(sample: Floats, level: float, seed: int) -> tuple[float, float]:
    import numpy as np

    with needed():
        from scipy.stats import bootstrap

    found = bootstrap(
        (sample,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=max(_CELLS_AT_ONCE // len(sample), 1),
        vectorized=True,
        axis=-1,
        confidence_level=level,
        method="BCa",
        random_state=np.random.default_rng(seed),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)
