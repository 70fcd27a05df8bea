from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from runyard.statistics import describe


@pytest.mark.parametrize("n", [2, 3, 10, 57])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_student_agrees_with_scipy(n: int, level: float) -> None:
    values = np.random.default_rng(n).normal(3, 2, n)

    found = describe(values, level=level)

    assert (found.n, found.mean) == (n, pytest.approx(values.mean()))
    assert found.std == pytest.approx(np.std(values, ddof=1))
    assert found.sem == pytest.approx(stats.sem(values))
    low, high = stats.t.interval(level, n - 1, loc=values.mean(), scale=stats.sem(values))
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == (pytest.approx(low), pytest.approx(high))
    assert (found.interval.level, found.interval.method) == (level, "student")


def test_bootstrap_agrees_with_scipy_and_is_the_same_for_the_same_seed() -> None:
    values = np.random.default_rng(1).exponential(size=20)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=9999, method="BCa", random_state=np.random.default_rng(5)
    ).confidence_interval

    first, again = describe(values, method="bootstrap", seed=5), describe(values, method="bootstrap", seed=5)

    assert first == again
    assert first.interval is not None
    assert (first.interval.low, first.interval.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9)
    assert first.interval != describe(values, method="bootstrap", seed=6).interval


def test_two_values_have_a_bootstrap_interval_within_them() -> None:
    interval = describe([1.0, 2.0], method="bootstrap").interval

    assert interval is not None
    assert 1.0 <= interval.low <= 1.5 <= interval.high <= 2.0


def test_no_value_has_no_mean_and_one_no_spread() -> None:
    none, one = describe([]), describe([4.0])

    assert none.n == 0
    assert math.isnan(none.mean) and math.isnan(none.std) and math.isnan(none.sem)
    assert (one.n, one.mean) == (1, 4.0)
    assert math.isnan(one.std) and math.isnan(one.sem)
    assert none.interval is None and one.interval is None


@pytest.mark.parametrize("method", ["student", "bootstrap"])
def test_equal_values_have_an_interval_of_no_width(method: str) -> None:
    found = describe([0.1] * 7, method=method)  # type: ignore[arg-type]

    assert (found.mean, found.std, found.sem) == (0.1, 0.0, 0.0)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == (0.1, 0.1)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused_by_its_place(bad: float) -> None:
    with pytest.raises(ValueError, match="value 1 is"):
        describe([1.0, bad])


@pytest.mark.parametrize("level", [0.0, 1.0, 95, math.nan])
def test_a_level_lies_between_0_and_1(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        describe([1.0, 2.0], level=level)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="'student' or 'bootstrap', not 'jackknife'"):
        describe([1.0, 2.0], method="jackknife")  # type: ignore[arg-type]


def test_a_spread_that_no_float_can_hold_has_no_interval() -> None:
    found = describe([1e300, -1e300, 1.7e308])

    assert found.std == math.inf
    assert found.interval is None
