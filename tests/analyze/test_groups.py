import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.analyze import JobTable, groups_of
from runyard.analyze.groups import moments


def table(values, keys, states=None):
    columns = {"job": list(range(len(values))), "state": states or ["COMPLETED"] * len(values), "k": keys, "m": values}
    return JobTable(columns=columns, names=("k",), metrics=("m",))


def test_a_group_has_the_textbook_interval():
    (group,) = groups_of(table([1.0, 2.0, 3.0, 4.0, 5.0], ["a"] * 5), ["k"], "m")
    assert (group.n, group.mean, group.lowest, group.highest) == (5, 3.0, 1.0, 5.0)
    assert group.std == pytest.approx(math.sqrt(2.5))
    assert group.ci95 == pytest.approx(2.7764451052 * math.sqrt(2.5 / 5))


def test_equal_values_have_exactly_their_mean_and_no_deviation():
    (group,) = groups_of(table([0.1] * 7, ["a"] * 7), ["k"], "m")
    assert (group.mean, group.std, group.ci95) == (0.1, 0.0, 0.0)


def test_one_value_has_no_deviation_and_none_has_no_mean():
    one, none = groups_of(table([2.0, None], ["a", "b"]), ["k"], "m")
    assert (one.n, one.mean) == (1, 2.0)
    assert math.isnan(one.std) and math.isnan(one.ci95)
    assert none.n == 0
    assert math.isnan(none.mean) and math.isnan(none.lowest)


def test_nan_is_counted_and_not_averaged():
    (group,) = groups_of(table([1.0, math.nan, 3.0, None], ["a"] * 4), ["k"], "m")
    assert (group.jobs, group.n, group.left_out, group.mean) == (4, 2, 1, 2.0)


def test_only_completed_jobs_are_averaged():
    states = ["COMPLETED", "FAILED", "RUNNING", "COMPLETED"]
    (group,) = groups_of(table([1.0, 100.0, 100.0, 3.0], ["a"] * 4, states), ["k"], "m")
    assert (group.jobs, group.n, group.mean) == (4, 2, 2.0)


def test_an_infinite_value_is_counted_and_not_averaged():
    (group,) = groups_of(table([1.0, math.inf, -math.inf], ["a"] * 3), ["k"], "m")
    assert (group.n, group.mean, group.highest, group.left_out) == (1, 1.0, 1.0, 2)


def test_groups_come_in_the_order_of_their_first_job():
    groups = groups_of(table([1.0, 2.0, 3.0], ["z", "a", "z"]), ["k"], "m")
    assert [group.key for group in groups] == [("z",), ("a",)]


def test_all_jobs_are_one_group_when_nothing_tells_them_apart():
    assert [group.n for group in groups_of(table([1.0, 2.0], ["a", "b"]), [], "m")] == [2]


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-1e6, 1e6)), max_size=60))
def test_moments_agree_with_numpy(pairs):
    index = np.array([g for g, _ in pairs], dtype=np.intp)
    values = np.array([v for _, v in pairs], dtype=np.float64)
    found = moments(values, index, 4)
    for g in range(4):
        mine = values[index == g]
        assert found.n[g] == len(mine)
        if len(mine):
            assert found.mean[g] == pytest.approx(mine.mean(), rel=1e-9, abs=1e-6)
        if len(mine) > 1:
            assert found.std[g] == pytest.approx(mine.std(ddof=1), rel=1e-6, abs=1e-6)
