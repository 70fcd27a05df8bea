import math

import pytest

from runyard.analyze.cells import cell_text, kind_of, level, metric_cell, param_cell


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("0.10", 0.1),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("1.", 1.0),
        ("1_000", 1000),
        ("true", True),
        ("False", False),
        ("abc", "abc"),
        ("'a b'", "a b"),
        ('"abc"', "abc"),
        ("007", "007"),
        ("1.2.3", "1.2.3"),
        ("1e", "1e"),
        ("[1,a]", [1, "a"]),
        ("{a:1,b:true}", {"a": 1, "b": True}),
        ("null", None),
        ("-inf", -math.inf),
    ],
)
def test_the_text_of_an_override_and_the_value_in_a_record_give_the_same_cell(text, value):
    assert param_cell(text) == param_cell(value)
    assert type(param_cell(text)) is type(param_cell(value))


def test_values_keep_their_types():
    assert [type(param_cell(t)) for t in ("1", "1.0", "true", "adam")] == [int, float, bool, str]


def test_null_is_a_value_and_empty_text_is_none():
    assert param_cell("null") == "null"
    assert param_cell("") is None


def test_a_metric_that_is_no_number_is_empty():
    assert metric_cell("abc") is None
    assert metric_cell(None) is None
    assert metric_cell(True) == 1


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (12, "12"),
        (0.1, "0.1"),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        ("a,b", "a,b"),
    ],
)
def test_a_cell_has_one_text(cell, text):
    assert cell_text(cell) == text


def test_nan_is_one_level_and_true_is_not_the_level_of_one():
    assert level(math.nan) == level(float("nan"))
    assert level(True) != level(1)
    assert level(1) == level(1.0)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([], "empty"),
        ([None], "empty"),
        ([True, None], "bool"),
        ([1, 2], "int"),
        ([1, 2.5, None], "float"),
        ([1, "a"], "text"),
        ([True, 1], "text"),
    ],
)
def test_the_kind_of_a_column_is_the_narrowest_that_holds_it(cells, kind):
    assert kind_of(cells) == kind
