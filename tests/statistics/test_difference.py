from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from runyard.statistics import difference


def _keyed(values: np.ndarray, first: int = 0) -> dict[object, float]:
    return {first + at: float(value) for at, value in enumerate(values)}


def _two(n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n * 100 + m)
    return rng.normal(1, 1, n), rng.normal(1.5, 2, m)


@pytest.mark.parametrize("n", [2, 3, 6, 20])
def test_the_same_keys_are_paired_and_agree_with_scipy(n: int) -> None:
    ours, theirs = _two(n, n)
    keyed = _keyed(theirs)
    shuffled = {key: keyed[key] for key in reversed(keyed)}

    found = difference(_keyed(ours), shuffled, level=0.9)

    test = stats.ttest_rel(theirs, ours)
    bounds = test.confidence_interval(0.9)
    assert (found.paired, found.test, found.n_baseline, found.n_candidate) == (True, "paired t", n, n)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((bounds.low, bounds.high))
    assert found.p_value == pytest.approx(test.pvalue)
    assert found.wilcoxon_p == pytest.approx(stats.wilcoxon(theirs - ours).pvalue)
    assert found.estimate == pytest.approx(theirs.mean() - ours.mean())
    assert found.effect == pytest.approx((theirs - ours).mean() / (theirs - ours).std(ddof=1))
    assert found.effect_name == "Cohen's d_z"


@pytest.mark.parametrize(("n", "m"), [(2, 2), (3, 5), (20, 7)])
def test_other_keys_are_not_paired_and_agree_with_welch(n: int, m: int) -> None:
    ours, theirs = _two(n, m)

    found = difference(_keyed(ours), _keyed(theirs, first=1))

    test = stats.ttest_ind(theirs, ours, equal_var=False)
    bounds = test.confidence_interval(0.95)
    assert (found.paired, found.test, found.wilcoxon_p) == (False, "Welch t", None)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((bounds.low, bounds.high))
    assert found.p_value == pytest.approx(test.pvalue)
    assert (found.baseline, found.candidate) == pytest.approx((ours.mean(), theirs.mean()))


def test_hedges_g_of_a_worked_example() -> None:
    """Means 2 and 5, both variances 1: d = 3, and the correction for 4 degrees of freedom is 1 - 3/15."""
    found = difference({1: 1.0, 2: 2.0, 3: 3.0}, {4: 4.0, 5: 5.0, 6: 6.0})

    assert (found.effect, found.effect_name) == (pytest.approx(2.4), "Hedges' g")


def test_one_common_key_more_or_less_is_enough_not_to_pair() -> None:
    assert not difference({1: 0.0, 2: 1.0, 3: 2.5}, {1: 1.0, 2: 2.5}).paired
    assert difference({1: 0.0, 2: 1.0}, {2: 2.5, 1: 1.0}).paired


def test_ties_and_pairs_without_a_difference_are_met() -> None:
    found = difference(dict(enumerate([1.0, 2.0, 3.0, 4.0])), dict(enumerate([1.0, 3.0, 4.0, 5.0])))

    assert found.wilcoxon_p == pytest.approx(stats.wilcoxon([1.0, 1.0, 1.0]).pvalue)


def test_one_value_a_side_has_an_estimate_and_nothing_else() -> None:
    found = difference({1: 2.0}, {1: 5.0})

    assert found.estimate == 3.0
    assert (found.test, found.interval, found.p_value, found.effect, found.paired) == ("none", None, None, None, False)


def test_one_value_against_many_has_no_test() -> None:
    found = difference({1: 2.0}, {1: 5.0, 2: 6.0})

    assert (found.test, found.interval, found.n_candidate) == ("none", None, 2)


def test_no_values_have_no_estimate() -> None:
    found = difference({}, {1: 5.0, 2: 6.0})

    assert (found.n_baseline, found.test, found.interval) == (0, "none", None)
    assert math.isnan(found.baseline) and math.isnan(found.estimate)


def test_equal_pairs_have_an_interval_of_no_width_at_0() -> None:
    found = difference({1: 0.1, 2: 0.7}, {1: 0.1, 2: 0.7})

    assert found.interval is not None
    assert (found.interval.low, found.interval.high, found.estimate) == (0.0, 0.0, 0.0)
    assert (found.test, found.p_value, found.effect) == ("none", None, None)


def test_pairs_that_differ_all_alike_but_for_rounding_have_no_test() -> None:
    found = difference({1: 0.1, 2: 0.2, 3: 0.7}, {1: 0.3, 2: 0.4, 3: 0.9})

    assert found.estimate == pytest.approx(0.2)
    assert (found.test, found.p_value) == ("none", None)


def test_two_constants_have_no_test() -> None:
    found = difference({1: 0.1, 2: 0.1}, {3: 0.3, 4: 0.3})

    assert found.interval is not None
    assert found.interval.low == found.interval.high == pytest.approx(0.2)
    assert found.test == "none"


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_refused_by_its_key(bad: float) -> None:
    with pytest.raises(ValueError, match="the candidate's value of 42 is"):
        difference({41: 0.0, 42: 1.0}, {41: 0.0, 42: bad})


def test_a_spread_that_no_float_can_hold_has_no_test() -> None:
    pairs = difference({1: 1e300, 2: 1.0, 3: 0.0}, {1: -1e300, 2: 5.0, 3: 1.0})
    apart = difference({1: 1e300, 2: 1.0}, {3: -1e300, 4: 5.0})

    for found in (pairs, apart):
        assert (found.test, found.p_value, found.interval) == ("none", None, None)
