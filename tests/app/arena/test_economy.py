from __future__ import annotations

import numpy as np
import pytest

from app.workloads.arena.economy import GENERATOR, MINE, altar, step_reward


def reward(before: tuple[int, int, int], after: tuple[int, int, int], *, shaping: bool) -> float:
    return float(step_reward(np.array(before), np.array(after), shaping=shaping))


def test_the_chain_has_the_constants_of_the_specification() -> None:
    assert (MINE.amount, MINE.cooldown_steps) == (0, 50)
    assert (GENERATOR.amount, GENERATOR.cooldown_steps) == (1, 25)
    assert (altar(converters=False).amount, altar(converters=False).cooldown_steps) == (3, 10)
    assert (altar(converters=True).amount, altar(converters=True).cooldown_steps) == (1, 10)


@pytest.mark.parametrize(
    ("before", "after", "plain", "shaped"),
    [
        pytest.param((0, 0, 0), (1, 0, 0), 0.0, 0.1, id="first ore"),
        pytest.param((9, 0, 0), (10, 0, 0), 0.0, 0.1, id="tenth ore"),
        pytest.param((10, 0, 0), (11, 0, 0), 0.0, 0.0, id="ore beyond its cap"),
        pytest.param((1, 0, 0), (0, 1, 0), 0.0, 0.8, id="first battery; spending ore costs nothing"),
        pytest.param((1, 1, 0), (0, 2, 0), 0.0, 0.2, id="second battery, up to the cap"),
        pytest.param((1, 2, 0), (0, 3, 0), 0.0, 0.0, id="battery beyond its cap"),
        pytest.param((0, 3, 0), (0, 0, 1), 1.0, 1.0, id="heart; spending batteries costs nothing"),
        pytest.param((0, 1, 99), (0, 0, 100), 1.0, 1.0, id="hundredth heart"),
        pytest.param((0, 1, 100), (0, 0, 101), 0.0, 0.0, id="heart beyond its cap"),
    ],
)
def test_a_change_of_inventory_is_rewarded_up_to_the_caps(
    before: tuple[int, int, int], after: tuple[int, int, int], plain: float, shaped: float
) -> None:
    assert reward(before, after, shaping=False) == pytest.approx(plain)
    assert reward(before, after, shaping=True) == pytest.approx(shaped)
