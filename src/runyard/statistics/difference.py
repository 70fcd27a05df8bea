"""A difference of two means: with its interval, its test and its size, paired where the design is. Pure."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from runyard.statistics.describe import centre
from runyard.statistics.interval import Interval, checked_level, finite
from runyard.statistics.library import needed

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]

Test = Literal["paired t", "Welch t", "two proportions", "none"]
EffectName = Literal["Cohen's d_z", "Hedges' g", "Cohen's h"]
_ROUNDING = 2.0**-48  # a spread this small against the values is that of their last digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Candidate less baseline.

    ``n_baseline`` and ``n_candidate`` count values (or trials), ``baseline`` and ``candidate`` are their means (or
    proportions), NaN where there are none. ``interval`` is one of ``estimate``; None where the spread is not known.
    ``test`` is ``none``, and ``p_value`` None, with fewer than two values or values that do not spread; then
    the interval has no width. ``wilcoxon_p`` is of Wilcoxon's signed-rank test of the pairs. ``effect`` is the
    difference in units of a standard deviation (``effect_name`` says which), None where that is zero or not known.
    """

    n_baseline: int
    n_candidate: int
    baseline: float
    candidate: float
    estimate: float
    interval: Interval | None
    test: Test
    p_value: float | None
    wilcoxon_p: float | None
    effect: float | None
    paired: bool
    effect_name: EffectName | None = None


def difference(
    baseline: Mapping[Hashable, float], candidate: Mapping[Hashable, float], *, level: float = 0.95
) -> Difference:
    """The mean of the candidate less the mean of the baseline.

    Where both have the same keys, and at least two, the values are paired: Student's t of the differences within
    pairs, Wilcoxon's signed-rank test, and Cohen's d_z (their mean over their standard deviation). Else Welch's t
    for two samples of unequal variance, and Hedges' g (the pooled standard deviation, with the correction
    1 - 3 / (4 df - 1) of Hedges, 1981, Distribution theory for Glass's estimator).

    Args:
        baseline: a value for each replicate, such as a seed.
        candidate: likewise.
        level: nominal confidence of the interval, between 0 and 1.

    Raises:
        ValueError: a value is not finite, or ``level`` is not between 0 and 1.
    """
    import numpy as np

    checked_level(level)
    is_paired = len(baseline) >= 2 and baseline.keys() == candidate.keys()
    ours = _sample("baseline", baseline)
    theirs = _sample("candidate", {key: candidate[key] for key in baseline} if is_paired else candidate)
    with np.errstate(over="ignore", invalid="ignore"):
        found = _paired(ours, theirs, level) if is_paired else _independent(ours, theirs, level)
        bounds = found.interval
    if bounds is not None and not math.isfinite(bounds.high - bounds.low):  # the spread is too large for a float
        return _without_test(ours, theirs, found.estimate, None, paired=is_paired)
    return found


def _sample(side: str, values: Mapping[Hashable, float]) -> Floats:
    import numpy as np

    return np.array([finite(f"the {side}'s value of {key!r}", value) for key, value in values.items()], dtype=float)


def _paired(ours: Floats, theirs: Floats, level: float) -> Difference:
    with needed():
        from scipy.stats import ttest_rel

    within = theirs - ours
    estimate = centre(within)
    scale = max(float(abs(ours).max()), float(abs(theirs).max()))
    if not _spreads(within, scale):
        return _without_test(ours, theirs, estimate, _point(estimate, level, "paired t"), paired=True)
    found = ttest_rel(theirs, ours)
    bounds = found.confidence_interval(level)
    return Difference(
        n_baseline=len(ours),
        n_candidate=len(theirs),
        baseline=centre(ours),
        candidate=centre(theirs),
        estimate=estimate,
        interval=Interval(low=float(bounds.low), high=float(bounds.high), level=level, method="paired t"),
        test="paired t",
        p_value=float(found.pvalue),
        wilcoxon_p=_wilcoxon(within),
        effect=estimate / float(within.std(ddof=1)),
        effect_name="Cohen's d_z",
        paired=True,
    )


def _wilcoxon(within: Floats) -> float:
    """Pairs without a difference are left out, as Wilcoxon did; at least one has one, for the differences spread."""
    with needed():
        from scipy.stats import wilcoxon

    return float(wilcoxon(within[within != 0.0]).pvalue)


def _independent(ours: Floats, theirs: Floats, level: float) -> Difference:
    with needed():
        from scipy.stats import ttest_ind

    estimate = centre(theirs) - centre(ours)
    if len(ours) < 2 or len(theirs) < 2:
        return _without_test(ours, theirs, estimate, None, paired=False)
    if not any(_spreads(sample, float(abs(sample).max())) for sample in (ours, theirs)):
        return _without_test(ours, theirs, estimate, _point(estimate, level, "welch"), paired=False)
    found = ttest_ind(theirs, ours, equal_var=False)
    bounds = found.confidence_interval(level)
    return Difference(
        n_baseline=len(ours),
        n_candidate=len(theirs),
        baseline=centre(ours),
        candidate=centre(theirs),
        estimate=estimate,
        interval=Interval(low=float(bounds.low), high=float(bounds.high), level=level, method="welch"),
        test="Welch t",
        p_value=float(found.pvalue),
        wilcoxon_p=None,
        effect=_hedges(ours, theirs, estimate),
        effect_name="Hedges' g",
        paired=False,
    )


def _hedges(ours: Floats, theirs: Floats, estimate: float) -> float:
    freedom = len(ours) + len(theirs) - 2
    squares = float((len(ours) - 1) * ours.var(ddof=1) + (len(theirs) - 1) * theirs.var(ddof=1))
    return estimate / math.sqrt(squares / freedom) * (1 - 3 / (4 * freedom - 1))


def _spreads(sample: Floats, scale: float) -> bool:
    """Whether the values differ by more than the rounding of numbers as large as ``scale``."""
    return float(sample.max() - sample.min()) > _ROUNDING * scale


def _point(estimate: float, level: float, method: str) -> Interval:
    return Interval(low=estimate, high=estimate, level=level, method=method)


def _without_test(
    ours: Floats, theirs: Floats, estimate: float, interval: Interval | None, *, paired: bool
) -> Difference:
    return Difference(
        n_baseline=len(ours),
        n_candidate=len(theirs),
        baseline=centre(ours),
        candidate=centre(theirs),
        estimate=estimate,
        interval=interval,
        test="none",
        p_value=None,
        wilcoxon_p=None,
        effect=None,
        paired=paired,
    )
