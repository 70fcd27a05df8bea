from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from omegaconf import OmegaConf

from app.workloads.arena import ArenaConfig, validate
from app.workloads.arena.config import settled
from runyard import UsageError


def test_the_defaults_are_valid() -> None:
    validate(ArenaConfig())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", -1),
        ("seed", 1.5),
        ("seed", True),
        ("rewards", "yes"),
        ("converters", 1),
        ("grid_size", 2),
        ("agents", 0),
        ("num_envs", "many"),
        ("crowding", 1),
        ("eval_episodes", 0),
        ("total_timesteps", 63_999),
        ("checkpoint_every", 3199),
        ("learning_rate", -0.1),
        ("discount", 1.0),
        ("discount", float("nan")),
        ("trace_decay", 1.1),
        ("entropy_bonus", None),
    ],
)
def test_a_value_out_of_range_is_refused_by_the_name_of_its_field(field: str, value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        validate(replace(ArenaConfig(), **{field: value}))
    assert caught.value.where == f"arena.{field}"
    assert repr(value) in caught.value.what
    assert caught.value.todo


def test_the_least_budget_is_one_episode_and_the_least_checkpoint_interval_one_update() -> None:
    validate(replace(ArenaConfig(), total_timesteps=64_000, checkpoint_every=3200))


def test_an_omegaconf_node_becomes_the_plain_configuration() -> None:
    node: Any = OmegaConf.merge(OmegaConf.structured(ArenaConfig), {"rewards": True, "seed": 7})
    assert settled(node) == ArenaConfig(rewards=True, seed=7)
