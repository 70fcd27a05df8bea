from __future__ import annotations

import pytest

from app.workloads.arena import ArenaConfig


@pytest.fixture
def small() -> ArenaConfig:
    """Four episodes of 16 agents: 100 steps each, an update every 25, a checkpoint every other update."""
    return ArenaConfig(
        grid_size=4,
        num_envs=8,
        episode_steps=100,
        total_timesteps=6400,
        checkpoint_every=1000,
        eval_episodes=5,
        rewards=True,
        converters=True,
        seed=3,
    )
