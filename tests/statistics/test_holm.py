from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from runyard.statistics import holm


def test_it_agrees_with_statsmodels_in_the_order_given() -> None:
    p_values = list(np.random.default_rng(3).uniform(0, 0.2, 12))

    assert holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]))


def test_a_worked_example() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])


def test_one_test_needs_no_correction_and_none_has_none() -> None:
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def test_no_value_is_over_1() -> None:
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@pytest.mark.parametrize("bad", [math.nan, -0.1, 1.1])
def test_what_is_no_p_value_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([0.1, bad])
