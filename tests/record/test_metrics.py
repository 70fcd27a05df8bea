from __future__ import annotations

import logging
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf

from runyard.record import frames_of, metrics_of


class _Tensor:
    """As torch's: a number of one element, or many."""

    def __init__(self, *values: float) -> None:
        self._values = values

    def numel(self) -> int:
        return len(self._values)

    def item(self) -> float:
        (value,) = self._values
        return value


FRAME = pd.DataFrame({"a": [1]})


@pytest.mark.parametrize(
    ("returned", "metrics"),
    [
        (None, {}),
        (3, {"return_value": 3}),
        (0.5, {"return_value": 0.5}),
        (True, {"return_value": 1}),
        ("text", {}),
        (object(), {}),
        (FRAME, {}),
        ((1, 2.5), {"return_value_0": 1, "return_value_1": 2.5}),
        ([1, "x", 3], {"return_value_0": 1, "return_value_2": 3}),
        ({"a": 1, "b": 0.5}, {"a": 1, "b": 0.5}),
        ({"eval": {"acc": 1, "deep": {"er": 2}}}, {"eval/acc": 1, "eval/deep/er": 2}),
        ({"a": None, "b": FRAME, "c": 1}, {"c": 1}),
        ({1: 2}, {"1": 2}),
        ({"a": True}, {"a": 1}),
        ({"a": Fraction(1, 4)}, {"a": 0.25}),
        ({"a": np.float64(0.5), "b": np.int32(3), "c": np.bool_(True)}, {"a": 0.5, "b": 3, "c": 1}),
        ({"a": np.array(2.5), "b": np.array([[2.5]])}, {"a": 2.5, "b": 2.5}),
        ({"a": _Tensor(2.5)}, {"a": 2.5}),
        (_Tensor(2.5), {"return_value": 2.5}),
        (np.float32(0.5), {"return_value": 0.5}),
        (OmegaConf.create({"a": 1, "b": {"c": 2}}), {"a": 1, "b/c": 2}),
        ({"a": math.inf}, {"a": math.inf}),
    ],
)
def test_the_metrics_in_what_a_task_returned(returned: Any, metrics: dict[str, Any]) -> None:
    found = metrics_of(returned)
    assert found == metrics
    assert all(type(v) in (int, float) for v in found.values())


@pytest.mark.parametrize("value", ["text", [1, 2], np.array([1, 2]), _Tensor(1, 2), object(), 1j, np.str_("x")])
def test_what_is_no_number_is_left_out_and_said(value: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert metrics_of({"bad": value, "good": 1}) == {"good": 1}
    assert "metric 'bad' is a " in caplog.text


def test_a_missing_metric_is_missing_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    assert metrics_of({"a": None}) == {}
    assert caplog.text == ""


def test_nan_stays_a_metric() -> None:
    assert math.isnan(metrics_of({"a": math.nan})["a"])


def test_data_frames_are_tables_and_not_metrics() -> None:
    assert list(frames_of({"matches": FRAME, "acc": 1})) == ["matches"]
    assert frames_of(FRAME) == {}
    assert frames_of(None) == {}
