"""The world: many environments stepped at once, each with its agents and its buildings' cooldowns.

An observation is one number: the agent's cell, its ore and its batteries (each counted up to 3, more look
like 3), and which buildings are ready. Agents do not see one another, nor how long a cooldown still lasts.
When several agents use one building in the same step only one is served; the order of precedence moves on
by one agent at each step, so that none is favoured.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .economy import BATTERY, HEART, ITEMS, ORE, step_reward
from .layout import NO_BUILDING, USE, Layout

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]

COUNTS_SEEN = 4
"""An agent tells 0, 1, 2 and "3 or more" of an item apart."""

STATE_NAMES = ("clock", "cell", "items", "cooldown")


def observation_count(layout: Layout) -> int:
    """How many observations there are on a map; they are numbered from 0."""
    return int(layout.size**2 * COUNTS_SEEN**2 * 2 ** len(layout.buildings))


class World:
    """Environments of one map, in step with each other.

    Args:
        layout: The map.
        envs: How many environments.
        agents: How many agents in each.
        shaping: Whether the reward counts ore and batteries too.
        rng: Where agents start is drawn from it, here and at every `reset`.

    Attributes:
        clock: Steps since the last reset.
        cell: Where agents are, shape (envs, agents).
        items: What they carry, shape (envs, agents, 3).
        cooldown: Steps until a building is ready again, shape (envs, buildings); 0 is ready.
    """

    def __init__(self, layout: Layout, *, envs: int, agents: int, shaping: bool, rng: np.random.Generator) -> None:
        self.layout = layout
        self.shape = (envs, agents)
        self.shaping = shaping
        self._takes = np.array([recipe.takes for recipe in layout.buildings])
        self._amount = np.array([recipe.amount for recipe in layout.buildings])
        self._gives = np.array([recipe.gives for recipe in layout.buildings])
        self._rest = np.array([recipe.cooldown_steps for recipe in layout.buildings])
        self._bit = 2 ** np.arange(len(layout.buildings))
        self.reset(rng)

    def reset(self, rng: np.random.Generator) -> None:
        """Starts a new episode: empty hands, random cells, every building ready."""
        self.clock = 0
        self.cell: Ints = rng.integers(self.layout.size**2, size=self.shape)
        self.items: Ints = np.zeros((*self.shape, len(ITEMS)), dtype=np.int64)
        self.cooldown: Ints = np.zeros((self.shape[0], len(self.layout.buildings)), dtype=np.int64)

    def observe(self) -> Ints:
        """What each agent sees, shape (envs, agents), in 0 .. `observation_count` - 1."""
        seen = np.minimum(self.items, COUNTS_SEEN - 1)
        ready = (self.cooldown == 0) @ self._bit
        index = (self.cell * COUNTS_SEEN + seen[..., ORE]) * COUNTS_SEEN + seen[..., BATTERY]
        seen_all: Ints = index * 2 ** len(self.layout.buildings) + ready[:, np.newaxis]
        return seen_all

    def step(self, actions: Ints) -> Floats:
        """Lets every agent act once.

        Args:
            actions: Indices into `layout.ACTIONS`, shape (envs, agents).

        Returns:
            The reward of each agent, shape (envs, agents).
        """
        rewards = np.zeros(self.shape)
        env, agent = self._served(actions)
        if env.size:
            rewards[env, agent] = self._serve(env, agent)
        self.cell = self.layout.next_cell[self.cell, actions]
        self.cooldown = np.maximum(self.cooldown - 1, 0)
        self.clock += 1
        return rewards

    def hearts_per_agent(self) -> Floats:
        """The hearts made so far in this episode, a mean over agents, shape (envs,)."""
        mean: Floats = self.items[..., HEART].mean(axis=1)
        return mean

    def state(self) -> dict[str, npt.NDArray[np.int64]]:
        """All that changes, by the names in `STATE_NAMES`, to be given back to `restore`."""
        return {
            "clock": np.array(self.clock),
            "cell": self.cell.copy(),
            "items": self.items.copy(),
            "cooldown": self.cooldown.copy(),
        }

    def restore(self, state: dict[str, npt.NDArray[np.int64]]) -> None:
        """Goes on from what `state` returned, of a world of the same size."""
        self.clock = int(state["clock"])
        self.cell, self.items, self.cooldown = (state[name].copy() for name in STATE_NAMES[1:])

    def _served(self, actions: Ints) -> tuple[Ints, Ints]:
        """Which agents use a building with success: at most one per building, (env, agent) pairs."""
        building = self.layout.building_at[self.cell]
        env, agent = np.nonzero((actions == USE) & (building != NO_BUILDING))
        used = building[env, agent]
        able = (self.cooldown[env, used] == 0) & (self.items[env, agent, self._takes[used]] >= self._amount[used])
        env, agent, used = env[able], agent[able], used[able]
        turn = (agent - self.clock) % self.shape[1]
        order = np.lexsort((turn, used, env))
        env, agent, used = env[order], agent[order], used[order]
        first = np.ones(env.size, dtype=bool)
        first[1:] = (env[1:] != env[:-1]) | (used[1:] != used[:-1])
        return env[first], agent[first]

    def _serve(self, env: Ints, agent: Ints) -> Floats:
        used = self.layout.building_at[self.cell[env, agent]]
        before = self.items[env, agent]
        self.items[env, agent, self._takes[used]] -= self._amount[used]
        self.items[env, agent, self._gives[used]] += 1
        self.cooldown[env, used] = self._rest[used]
        return step_reward(before, self.items[env, agent], shaping=self.shaping)
