import math

import pytest

from runyard.analyze import JobTable, is_bookkeeping, primary_metric
from runyard.base import UsageError


def table(states=None, **metrics):
    n = len(next(iter(metrics.values()), []))
    columns = {"job": list(range(n)), "state": states or ["COMPLETED"] * n, **metrics}
    return JobTable(columns=columns, names=(), metrics=tuple(metrics))


def test_the_first_metric_that_varies_is_shown():
    assert primary_metric(table(constant=[1, 1], loss=[1.0, 2.0], acc=[0.1, 0.2])) == "loss"


def test_time_and_size_come_after_what_came_out():
    assert primary_metric(table(fit_s=[1, 2], n_jobs=[3, 4], loss=[1.0, 2.0])) == "loss"


def test_time_is_shown_when_nothing_else_varies():
    assert primary_metric(table(loss=[1, 1], seconds=[1, 2])) == "seconds"


def test_a_constant_metric_is_better_than_a_constant_time():
    assert primary_metric(table(seconds=[1, 1], loss=[2, 2])) == "loss"


def test_values_of_jobs_that_did_not_complete_do_not_count():
    states = ["COMPLETED", "COMPLETED", "FAILED"]
    assert primary_metric(table(states, a=[1, 1, 2], b=[1, 2, 3])) == "b"


def test_a_metric_without_a_finite_value_is_never_chosen():
    assert primary_metric(table(a=[math.nan, math.inf], b=[1, None])) == "b"


def test_there_is_none_when_no_job_completed_with_one():
    assert primary_metric(table(["FAILED"], a=[1])) is None
    assert primary_metric(table()) is None


def test_a_named_metric_is_shown_whatever_the_rule():
    assert primary_metric(table(loss=[1, 2], fit_s=[1, 1]), "fit_s") == "fit_s"


def test_a_named_metric_is_found_under_its_own_name_when_its_column_has_a_prefix():
    assert primary_metric(table(**{"metrics.seconds": [1, 2]}), "seconds") == "metrics.seconds"


def test_an_unknown_metric_is_an_error_that_lists_the_known():
    with pytest.raises(UsageError, match="did you mean 'loss'"):
        primary_metric(table(loss=[1, 2]), "los")


@pytest.mark.parametrize(
    "name", ["seconds", "fit_s", "train/time", "time_to_target", "n_jobs", "eval.steps", "peak_mb"]
)
def test_time_and_size_are_bookkeeping(name):
    assert is_bookkeeping(name)


@pytest.mark.parametrize("name", ["loss", "savings", "news", "loss_min", "eval/acc", "time/loss", "timeliness"])
def test_results_are_no_bookkeeping(name):
    assert not is_bookkeeping(name)
