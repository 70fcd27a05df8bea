import math

import pytest

from runyard.analyze import JobTable
from runyard.analyze.axes import axes_of


def axis(cells, name="x"):
    columns = {"job": list(range(len(cells))), "state": ["COMPLETED"] * len(cells), name: cells}
    return axes_of(JobTable(columns=columns, names=(name,), metrics=()))[0]


def test_numbers_are_sorted():
    assert axis([3, 1.5, 3, 2]).values == (1.5, 2, 3)
    assert axis([3, 1.5]).kind == "numeric"


def test_words_keep_the_order_of_the_jobs():
    assert axis(["sgd", "adam", "sgd"]).values == ("sgd", "adam")
    assert axis(["sgd", "adam"]).kind == "categorical"


def test_truth_values_are_a_kind_of_their_own():
    assert axis([True, False, True]).kind == "bool"


@pytest.mark.parametrize("cells", [[1, None], [1, "auto"], [1.0, math.nan], [True, None], [1.0, math.inf]])
def test_numbers_with_anything_else_among_them_are_categories(cells):
    assert axis(cells).kind == "categorical"


@pytest.mark.parametrize(("name", "role"), [("a.seed", "seed"), ("workload.day", "replicate"), ("+fold", "replicate")])
def test_the_name_tells_the_role(name, role):
    assert axis([1, 2], name).role == role


def test_other_names_are_settings():
    assert axis([1, 2], "day_length").role == "setting"


def test_one_value_does_not_vary():
    assert not axis([1, 1]).varies
    assert axis([1, 2]).varies
