from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from runyard.gates import Judged, judge, parse_rule


def judged(rule: Any, candidate: Sequence[float | None], baseline: Sequence[float | None] | None = None) -> Judged:
    theirs = None if baseline is None else dict(enumerate(baseline))
    return judge(parse_rule(rule), dict(enumerate(candidate)), theirs, has_baseline=baseline is not None)


IMPROVED = {"metric": "loss", "min_delta": 0.1, "mode": "min"}
NO_WORSE = {"metric": "loss", "ratio": 1.1, "mode": "min"}


@pytest.mark.parametrize(
    ("rule", "values", "passed"),
    [
        ("loss < 1", [0.5, 1.2], True),
        ("loss < 1", [0.5, 1.5], False),
        ("loss <= 1", [1.0], True),
        ("loss == 1", [1.0, 1.0], True),
        ("loss != 1", [1.0, 1.0], False),
        ("loss > 1", [0.9, 1.0, 1.4], True),
    ],
)
def test_the_mean_over_the_runs_decides(rule: str, values: list[float], passed: bool) -> None:
    assert judged(rule, values).passed is passed


@pytest.mark.parametrize(("threshold", "passed"), [(1.51, False), (1.53, True)])
def test_what_must_be_certain_needs_the_whole_interval_on_the_right_side(threshold: float, passed: bool) -> None:
    # mean 1.1, std 0.1 * sqrt(2.5): Student's t for 4 degrees of freedom is 2.776, and so the half width 0.1963
    values = [0.9 + 0.1 * n for n in range(5)]
    rule = {"metric": "loss", "op": "<", "threshold": threshold - 0.22, "certain": "ci95"}
    assert judged(rule, values).passed is passed
    assert judged({**rule, "certain": None}, values).passed


def test_one_run_makes_nothing_certain() -> None:
    verdict = judged({"metric": "loss", "op": "<", "threshold": 10, "certain": "ci95"}, [1.0])
    assert not verdict.passed
    assert "one run gives no interval" in verdict.why


@pytest.mark.parametrize("values", [[], [1.0, None], [None], [1.0, math.nan], [math.inf]])
@pytest.mark.parametrize("rule", ["loss > -1e9", IMPROVED, NO_WORSE])
def test_a_value_that_is_missing_or_no_number_fails(rule: Any, values: list[float | None]) -> None:
    for baseline in (None, [5.0, 5.0]):
        assert not judged(rule, values, baseline).passed


def test_an_improvement_is_measured_in_the_direction_that_is_better() -> None:
    assert judged(IMPROVED, [0.8, 0.85], [1.0, 1.0]).passed
    assert not judged(IMPROVED, [0.95, 0.95], [1.0, 1.0]).passed
    assert not judged({**IMPROVED, "mode": "max"}, [0.8, 0.85], [1.0, 1.0]).passed
    assert judged({**IMPROVED, "mode": "max"}, [1.15, 1.1], [1.0, 1.0]).passed


def test_a_ratio_bounds_the_mean_by_so_many_times_the_baseline() -> None:
    assert judged(NO_WORSE, [1.0, 1.1], [1.0, 1.0]).passed
    assert not judged(NO_WORSE, [1.2, 1.1], [1.0, 1.0]).passed
    assert judged({"metric": "acc", "ratio": 0.9, "mode": "max"}, [0.92, 0.95], [1.0, 1.0]).passed
    assert not judged({"metric": "acc", "ratio": 0.9, "mode": "max"}, [0.8, 0.95], [1.0, 1.0]).passed


def test_paired_seeds_make_certain_what_their_spread_alone_would_not() -> None:
    baseline = [1.0, 2.0, 3.0, 4.0]
    candidate = [0.89, 1.88, 2.89, 3.88]
    certain = {**IMPROVED, "certain": "ci95"}
    verdict = judged(certain, candidate, baseline)
    assert verdict.passed
    assert verdict.interval is not None
    assert 0.1 < verdict.interval.low < 0.115 < verdict.interval.high
    unpaired = judge(parse_rule(certain), dict(enumerate(candidate, 100)), dict(enumerate(baseline)), has_baseline=True)
    assert not unpaired.passed


def test_without_a_baseline_a_rule_that_needs_one_passes_provisionally() -> None:
    verdict = judged(IMPROVED, [1.0])
    assert verdict.passed
    assert verdict.provisional


def test_a_baseline_without_such_a_cell_or_value_fails() -> None:
    rule = parse_rule(IMPROVED)
    for baseline, words in ((None, "no run in this cell"), ({0: None}, "is missing in 1 of 1 runs")):
        verdict = judge(rule, {0: 0.1}, baseline, has_baseline=True)
        assert not verdict.passed
        assert words in verdict.why
