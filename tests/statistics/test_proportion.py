from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats import proportion as theirs

from runyard.statistics import proportion_interval, proportions_difference


@pytest.mark.parametrize(("successes", "trials"), [(1, 3), (3, 5), (9, 15), (250, 1000)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_agrees_with_statsmodels(successes: int, trials: int, level: float) -> None:
    found = proportion_interval(successes, trials, level=level)

    expected = theirs.proportion_confint(successes, trials, alpha=1 - level, method="wilson")
    assert (found.low, found.high) == pytest.approx(expected)
    assert (found.level, found.method) == (level, "wilson")


def test_wilson_of_a_worked_example() -> None:
    """9 of 15: centre (0.6 + z2/30) / (1 + z2/15), as in Wilson's formula with z = 1.959964."""
    found = proportion_interval(9, 15)

    assert (found.low, found.high) == pytest.approx((0.35747, 0.80176), abs=1e-5)


def test_none_and_all_have_bounds_at_the_end_of_the_range() -> None:
    none, everything = proportion_interval(0, 10), proportion_interval(10, 10)

    assert (none.low, everything.high) == (0.0, 1.0)
    assert none.high == pytest.approx(1 - everything.low)
    assert 0.25 < none.high < 0.3


def test_without_a_trial_a_proportion_can_be_anything() -> None:
    found = proportion_interval(0, 0)

    assert (found.low, found.high) == (0.0, 1.0)


@pytest.mark.parametrize(("successes", "trials"), [(2, 1), (-1, 3), (0.5, 3), (math.nan, 3), (1, math.inf)])
def test_counts_that_are_none_are_refused(successes: float, trials: float) -> None:
    with pytest.raises(ValueError, match="whole numbers with 0 <= successes <= trials"):
        proportion_interval(successes, trials)


@pytest.mark.parametrize("counts", [(9, 15, 3, 5), (30, 100, 45, 90), (0, 10, 7, 10), (10, 10, 0, 9)])
def test_two_proportions_agree_with_statsmodels(counts: tuple[int, int, int, int]) -> None:
    s1, n1, s2, n2 = counts

    found = proportions_difference(*counts)

    with np.errstate(all="ignore"):
        test = theirs.test_proportions_2indep(s2, n2, s1, n1, method="agresti-caffo", compare="diff")
    bounds = theirs.confint_proportions_2indep(s2, n2, s1, n1, method="agresti-caffo", compare="diff")
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((max(bounds[0], -1), min(bounds[1], 1)))
    assert found.p_value == pytest.approx(test.pvalue)
    assert found.estimate == pytest.approx(s2 / n2 - s1 / n1)
    assert found.effect == pytest.approx(theirs.proportion_effectsize(s2 / n2, s1 / n1))
    assert (found.test, found.effect_name, found.paired) == ("two proportions", "Cohen's h", False)


@pytest.mark.parametrize("s2", range(0, 41))
def test_the_interval_leaves_out_0_just_when_the_test_is_significant(s2: int) -> None:
    found = proportions_difference(12, 40, s2, 40)

    assert found.interval is not None and found.p_value is not None
    assert (0.0 not in found.interval) == (found.p_value < 0.05)


@pytest.mark.parametrize("counts", [(0, 5, 0, 7), (5, 5, 7, 7), (1, 2, 2, 4)])
def test_equal_proportions_are_not_told_apart(counts: tuple[int, int, int, int]) -> None:
    found = proportions_difference(*counts)

    assert found.interval is not None and found.p_value is not None
    assert (found.estimate, found.effect, 0.0 in found.interval) == (0.0, 0.0, True)
    assert found.p_value > 0.5


def test_a_worked_example_of_agresti_and_caffo() -> None:
    """7 of 10 less 2 of 10: 8/12 and 3/12 differ by 5/12, with the variance (32/144 + 27/144) / 12."""
    found = proportions_difference(2, 10, 7, 10)

    half = 1.959964 * math.sqrt((32 / 144 + 27 / 144) / 12)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((5 / 12 - half, 5 / 12 + half), abs=1e-6)


def test_without_trials_there_is_no_test() -> None:
    found = proportions_difference(0, 0, 3, 5)

    assert (found.test, found.p_value, found.interval, found.effect) == ("none", None, None, None)
    assert math.isnan(found.baseline)
