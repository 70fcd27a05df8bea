"""A proportion: its interval, and the difference of two. Pure; statsmodels does the work."""

from __future__ import annotations

import math

from runyard.statistics.difference import Difference
from runyard.statistics.interval import Interval, checked_level
from runyard.statistics.library import needed


def proportion_interval(successes: float, trials: float, *, level: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion (Wilson, 1927); all of 0 to 1 where there was no trial.

    Raises:
        ValueError: the counts are no whole numbers with 0 <= successes <= trials, or ``level`` is none.
    """
    with needed():
        from statsmodels.stats.proportion import proportion_confint

    checked_level(level)
    count, total = _counts(successes, trials)
    low, high = proportion_confint(count, total, alpha=1 - level, method="wilson") if total else (0.0, 1.0)
    # the formula leaves 1e-17 where the bound is the end of the range
    low = 0.0 if count == 0 else max(float(low), 0.0)
    high = 1.0 if count == total else min(float(high), 1.0)
    return Interval(low=low, high=high, level=level, method="wilson")


def proportions_difference(s1: float, n1: float, s2: float, n2: float, *, level: float = 0.95) -> Difference:
    """The second proportion less the first, with a test of two independent proportions.

    Test and interval are those of Agresti and Caffo (2000, Simple and effective confidence intervals for proportions):
    Wald's after one success and one failure are added on each side, which cover well for few trials too. They agree:
    the interval holds 0 just when the p-value is over 1 - level. ``effect`` is Cohen's h. ``estimate`` is the plain
    difference.

    Args:
        s1: successes of the baseline.
        n1: trials of the baseline.
        s2: successes of the candidate.
        n2: trials of the candidate.
        level: nominal confidence of the interval.

    Returns:
        ``n_baseline`` and ``n_candidate`` are trials. Without trials on either side there is neither test nor interval.

    Raises:
        ValueError: see ``proportion_interval``.
    """
    checked_level(level)
    count1, total1 = _counts(s1, n1)
    count2, total2 = _counts(s2, n2)
    p1 = count1 / total1 if total1 else math.nan
    p2 = count2 / total2 if total2 else math.nan
    interval, p_value, effect = None, None, None
    if total1 and total2:
        interval, p_value, effect = _tested(count1, total1, count2, total2, level)
    return Difference(
        n_baseline=total1,
        n_candidate=total2,
        baseline=p1,
        candidate=p2,
        estimate=p2 - p1,
        interval=interval,
        test="none" if p_value is None else "two proportions",
        p_value=p_value,
        wilcoxon_p=None,
        effect=effect,
        effect_name=None if effect is None else "Cohen's h",
        paired=False,
    )


def _tested(count1: int, total1: int, count2: int, total2: int, level: float) -> tuple[Interval, float, float]:
    import numpy as np

    with needed():
        from statsmodels.stats import proportion

    counts = (count2, total2, count1, total1)
    low, high = proportion.confint_proportions_2indep(*counts, method="agresti-caffo", compare="diff", alpha=1 - level)
    interval = Interval(low=max(float(low), -1.0), high=min(float(high), 1.0), level=level, method="agresti-caffo")
    with np.errstate(divide="ignore", invalid="ignore"):  # ratios, which it works out too, may have nothing below
        test = proportion.test_proportions_2indep(*counts, method="agresti-caffo", compare="diff")
    effect = proportion.proportion_effectsize(count2 / total2, count1 / total1)
    return interval, float(test.pvalue), float(effect)


def _counts(successes: float, trials: float) -> tuple[int, int]:
    if not (float(successes).is_integer() and float(trials).is_integer() and 0 <= successes <= trials):
        raise ValueError(
            f"a proportion needs whole numbers with 0 <= successes <= trials, not {successes!r} of {trials!r}"
        )
    return int(successes), int(trials)
