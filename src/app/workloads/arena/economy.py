"""The economy: items, buildings, what a building takes and gives, and what an agent is rewarded for.

It knows neither places nor time.

An agent on a building's cell may *use* it: it takes its input from the agent's inventory and gives one item
at once, then rests for its cooldown. Nothing is stored in a building and nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ITEMS = ("ore", "battery", "heart")
ORE, BATTERY, HEART = range(3)

REWARDS = (0.1, 0.8, 1.0)
"""Reward of one item, in the order of `ITEMS`. Ore and batteries count with shaping only."""
REWARD_CAPS = (1.0, 1.0, 100.0)
"""The most that all carried items of a kind are worth."""

ALTAR_BATTERIES = 3
ALTAR_BATTERIES_EASY = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What one use of a building does.

    Attributes:
        takes: The item taken (an index into `ITEMS`).
        amount: How many of it are taken; 0 for a mine.
        gives: The item given, always one.
        cooldown_steps: A building used in step t can be used again in step t + cooldown_steps.
    """

    takes: int
    amount: int
    gives: int
    cooldown_steps: int


MINE = Recipe(takes=ORE, amount=0, gives=ORE, cooldown_steps=50)
GENERATOR = Recipe(takes=ORE, amount=1, gives=BATTERY, cooldown_steps=25)


def altar(*, converters: bool) -> Recipe:
    """The altar's recipe: three batteries for a heart, or one with `converters`."""
    amount = ALTAR_BATTERIES_EASY if converters else ALTAR_BATTERIES
    return Recipe(takes=BATTERY, amount=amount, gives=HEART, cooldown_steps=10)


def step_reward(
    before: npt.NDArray[np.int64], after: npt.NDArray[np.int64], *, shaping: bool
) -> npt.NDArray[np.float64]:
    """The reward for a change of inventories.

    Hearts pay 1 each, up to 100. With shaping, ore pays 0.1 and batteries 0.8 when they are gained, as long as what
    is carried of that item is worth less than 1 in all; spending them costs nothing. So hoarding does not pay,
    the last step of the chain always does, and nothing can be earned without producing something.

    Args:
        before: Counts before the step, shape (..., 3), in the order of `ITEMS`.
        after: Counts after it, same shape.
        shaping: Whether ore and batteries are rewarded.

    Returns:
        Rewards, shape (...).
    """
    reward: npt.NDArray[np.float64] = _worth(after, HEART) - _worth(before, HEART)
    if shaping:
        for item in (ORE, BATTERY):
            reward = reward + np.maximum(_worth(after, item) - _worth(before, item), 0)
    return reward


def _worth(items: npt.NDArray[np.int64], item: int) -> npt.NDArray[np.float64]:
    worth: npt.NDArray[np.float64] = np.minimum(items[..., item] * REWARDS[item], REWARD_CAPS[item])
    return worth
