from __future__ import annotations

import math

import numpy as np
import pytest
from tests.analyze.cells import clean, table

from runyard.analyze.statement import Wanted, statement
from runyard.statistics import describe, proportion_interval


def stated(jobs, by, metrics=(), **more):
    columns = statement(jobs, clean(jobs), Wanted(by=by, metrics=metrics, **more))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def test_each_metric_has_a_row_for_each_group_that_agrees_with_the_statistics():
    values = np.random.default_rng(1).normal(size=6)
    jobs = table(
        [
            ("COMPLETED", lr, s, v)
            for (lr, s), v in zip([(a, b) for a in (1, 2) for b in range(3)], values, strict=True)
        ],
        ["lr", "seed"],
        ["loss"],
    )

    first, second = stated(jobs, ["lr"], ["loss"], level=0.9)

    expected = describe(values[3:], level=0.9)
    assert (first["lr"], second["lr"], second["metric"], second["n"]) == (1, 2, "loss", 3)
    assert (second["mean"], second["std"], second["sem"]) == (expected.mean, expected.std, expected.sem)
    assert (second["low"], second["high"]) == (expected.interval.low, expected.interval.high)


def test_jobs_without_a_value_are_counted_by_why():
    rows = [("COMPLETED", 1.0), ("COMPLETED", math.nan), ("COMPLETED", None), ("PENDING", None), ("TIMEOUT", None)]

    (row,) = stated(table(rows, [], ["loss"]), [], ["loss"])

    assert [row[name] for name in ("n", "left_out", "missing", "failed")] == [1, 2, 1, 1]
    assert (row["mean"], row["std"], row["low"]) == (1.0, None, None)
    assert row["mixed"] == "missing;failed"


def test_a_group_without_any_value_has_no_mean():
    (row,) = stated(table([("FAILED", None)], [], ["loss"]), [], ["loss"])

    assert (row["n"], row["mean"], row["high"]) == (0, None, None)


def test_a_proportion_is_pooled_with_wilsons_interval():
    jobs = table(
        [("COMPLETED", 3, 5), ("COMPLETED", 0, 1), ("COMPLETED", 1.5, 2), ("FAILED", 4, 4)], [], ["wins", "all"]
    )

    (row,) = stated(jobs, [], proportions={"share": ("wins", "all")})

    interval = proportion_interval(3, 6)
    assert (row["metric"], row["mean"], row["successes"], row["trials"]) == ("share", 0.5, 3, 6)
    assert (row["low"], row["high"]) == (interval.low, interval.high)
    assert (row["n"], row["left_out"], row["std"]) == (2, 1, None)


def test_a_swept_name_that_a_statistic_has_gets_a_prefix():
    (row,) = stated(table([("COMPLETED", 3, 5.0)], ["n"], ["loss"]), ["n"], ["loss"])

    assert (row["params.n"], row["n"]) == (3, 1)


@pytest.mark.parametrize("method", ["student", "bootstrap"])
def test_the_method_is_passed_on(method):
    values = [1.0, 2.0, 4.0, 9.0]
    (row,) = stated(table([("COMPLETED", v) for v in values], [], ["loss"]), [], ["loss"], method=method)

    assert row["low"] == describe(values, method=method).interval.low
