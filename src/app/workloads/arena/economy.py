"""The economy: items, buildings, what a building takes and gives, and what an inventory is worth.

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

HEART_REWARD = 1.0
HEART_REWARD_CAP = 100.0
ORE_SHAPING = 0.1
BATTERY_SHAPING = 0.8
SHAPING_CAP = 1.0

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
    """Return the altar's recipe: three batteries for a heart, or one with `converters`."""
    amount = ALTAR_BATTERIES_EASY if converters else ALTAR_BATTERIES
    return Recipe(takes=BATTERY, amount=amount, gives=HEART, cooldown_steps=10)


def inventory_worth(items: npt.NDArray[np.int64], *, shaping: bool) -> npt.NDArray[np.float64]:
    """Return what inventories are worth; a step's reward is the change of this worth.

    Because ore and batteries lose their worth when they are spent, shaping pays for having got further along
    the chain and cannot be collected twice from the same item.

    Args:
        items: Counts, shape (..., 3), in the order of `ITEMS`.
        shaping: Whether ore (0.1 each) and batteries (0.8 each) count, each item up to 1 in total.

    Returns:
        Worth, shape (...). Hearts count 1 each, up to 100.
    """
    worth: npt.NDArray[np.float64] = np.minimum(items[..., HEART] * HEART_REWARD, HEART_REWARD_CAP)
    if shaping:
        worth += np.minimum(items[..., ORE] * ORE_SHAPING, SHAPING_CAP)
        worth += np.minimum(items[..., BATTERY] * BATTERY_SHAPING, SHAPING_CAP)
    return worth
