"""Intervals hold the truth as often as they say: seeded simulations, with the tolerance of their own number."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from runyard.statistics import Interval, describe, difference, proportion_interval, proportions_difference

_SIGMAS = 4.0


def _share(draw: Callable[[np.random.Generator], Interval | None], truth: float, repeats: int) -> float:
    rng = np.random.default_rng(20)
    intervals = [draw(rng) for _ in range(repeats)]
    return sum(interval is not None and truth in interval for interval in intervals) / repeats


def _error(level: float, repeats: int) -> float:
    return _SIGMAS * math.sqrt(level * (1 - level) / repeats)


@pytest.mark.parametrize("n", [3, 10])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_student_covers_the_mean_of_normal_values(n: int, level: float) -> None:
    share = _share(lambda rng: describe(rng.normal(7, 3, n), level=level).interval, 7.0, 2000)

    assert share == pytest.approx(level, abs=_error(level, 2000))


def test_bootstrap_covers_the_mean_of_skewed_values() -> None:
    """With 60 exponential values BCa is known to fall a little short: two hundredths are allowed for that."""
    share = _share(lambda rng: describe(rng.exponential(2.0, 60), method="bootstrap").interval, 2.0, 400)

    assert 0.95 - 0.02 - _error(0.95, 400) <= share <= 0.95 + _error(0.95, 400)


@pytest.mark.parametrize("truth", [0.1, 0.3, 0.5])
def test_wilson_covers_a_proportion(truth: float) -> None:
    """A count is discrete: over all p Wilson's coverage is 0.95 in the mean, at one p it lies a little off."""
    share = _share(lambda rng: proportion_interval(int(rng.binomial(80, truth)), 80), truth, 2000)

    assert share == pytest.approx(0.95, abs=0.015 + _error(0.95, 2000))


def test_a_paired_interval_covers_the_difference_though_seeds_differ_more() -> None:
    def draw(rng: np.random.Generator) -> Interval | None:
        seeds = rng.normal(0, 10, 5)
        ours, theirs = seeds + rng.normal(0, 1, 5), seeds + 0.5 + rng.normal(0, 1, 5)
        return difference(dict(enumerate(ours)), dict(enumerate(theirs))).interval

    assert _share(draw, 0.5, 2000) == pytest.approx(0.95, abs=_error(0.95, 2000))


def test_welch_covers_the_difference_of_samples_that_spread_unequally() -> None:
    def draw(rng: np.random.Generator) -> Interval | None:
        ours, theirs = rng.normal(1, 1, 8), rng.normal(3, 4, 12)
        return difference(dict(enumerate(ours)), dict(enumerate(theirs))).interval

    assert _share(draw, 2.0, 2000) == pytest.approx(0.95, abs=0.005 + _error(0.95, 2000))


def test_an_interval_covers_the_difference_of_two_proportions() -> None:
    def draw(rng: np.random.Generator) -> Interval | None:
        return proportions_difference(int(rng.binomial(60, 0.3)), 60, int(rng.binomial(80, 0.5)), 80).interval

    assert _share(draw, 0.2, 2000) == pytest.approx(0.95, abs=0.01 + _error(0.95, 2000))
