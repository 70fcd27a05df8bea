from __future__ import annotations

import json
import math
import re
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runyard.base import State, canonical_json, digest, finite_json, from_finite_json


class Color(Enum):
    RED = 1
    BLUE = 2


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def _reversed_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _reversed_keys(v) for k, v in reversed(list(value.items()))}
    if isinstance(value, list):
        return [_reversed_keys(v) for v in value]
    return value


@given(_VALUES)
@settings(max_examples=150, deadline=None)
def test_canonical_json_loses_nothing(value: Any) -> None:
    assert json.loads(canonical_json(value)) == value


@given(_VALUES)
@settings(max_examples=150, deadline=None)
def test_canonical_json_does_not_depend_on_the_order_of_keys(value: Any) -> None:
    assert canonical_json(_reversed_keys(value)) == canonical_json(value)


@given(_VALUES, _VALUES)
@settings(max_examples=150, deadline=None)
def test_equal_text_means_equal_values(left: Any, right: Any) -> None:
    if canonical_json(left) == canonical_json(right):
        assert left == right


@given(_VALUES)
@settings(max_examples=50, deadline=None)
def test_canonical_json_is_ascii_on_one_line_and_its_digest_64_digits(value: Any) -> None:
    text = canonical_json(value)
    assert text.isascii()
    assert "\n" not in text
    assert re.fullmatch("[0-9a-f]{64}", digest(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [1, 2.5, None, True]}, '{"a":[1,2.5,null,true],"b":1}'),
        ("ü", '"\\u00fc"'),
        ((1, 2), "[1,2]"),
        (Color.RED, '"RED"'),
        (State.FAILED, '"FAILED"'),
        (PurePosixPath("a/b"), '"a/b"'),
        (b"\x00\xff", '{"bytes":"00ff"}'),
        (math.inf, '{"float":"inf"}'),
        (-math.inf, '{"float":"-inf"}'),
        (math.nan, '{"float":"nan"}'),
        ({1: "a"}, '{"int:1":"a"}'),
        ({True: "a"}, '{"bool:True":"a"}'),
        ({Color.BLUE: "a"}, '{"Color:\'BLUE\'":"a"}'),
        ({1: "a", "1": "b"}, '{"1":"b","int:1":"a"}'),
        (1e-3, "0.001"),
        (0.1 + 0.2, "0.30000000000000004"),
        (10**30, "1" + "0" * 30),
    ],
)
def test_canonical_json_of(value: Any, text: str) -> None:
    assert canonical_json(value) == text


@pytest.mark.parametrize("value", [object(), {1, 2}, {"a": {"b": object()}}, 1j])
def test_what_json_cannot_carry_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


def test_a_digest_stays_the_same_over_versions() -> None:
    assert digest({"lr": 0.1, "seed": [1, 2]}) == "61938ed3e4d06d97eda6aa6b35f634b561dd75053295698fe2260dd69dd104a0"


@pytest.mark.parametrize(
    ("value", "finite"),
    [
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (1.5, 1.5),
        ("text", "text"),
        ({"a": math.nan, "b": [math.inf, {"c": -math.inf}]}, {"a": "NaN", "b": ["Infinity", {"c": "-Infinity"}]}),
        ((1, 2), [1, 2]),
        ({1: 2}, {"1": 2}),
        (None, None),
        (True, True),
    ],
)
def test_finite_json_of(value: Any, finite: Any) -> None:
    assert finite_json(value) == finite


def test_metrics_come_back_as_the_numbers_they_were() -> None:
    metrics = {"a": 1.0, "b": math.inf, "c": -math.inf, "d": 3}
    assert from_finite_json(json.loads(json.dumps(finite_json(metrics), allow_nan=False))) == metrics
    assert math.isnan(from_finite_json({"x": "NaN"})["x"])


def test_a_path_and_its_text_are_the_same_to_a_digest() -> None:
    assert digest({"file": Path("a/b")}) == digest({"file": "a/b"})
