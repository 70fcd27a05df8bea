"""The configuration of the arena: what can be set, and which values make sense."""

from __future__ import annotations

from dataclasses import dataclass, fields

from runyard import UsageError

from .layout import MIN_GRID_SIZE


@dataclass
class ArenaConfig:
    """Everything a training and its evaluation depend on.

    An agent step is one action of one agent; a step of the whole world is num_envs * agents of them.

    Attributes:
        name: The workload's name.
        seed: Seed of the training: starting cells and actions. The evaluation does not depend on it.
        rewards: Whether ore and batteries are rewarded as well as hearts.
        converters: Whether the altar takes 1 battery for a heart instead of 3.
        grid_size: Cells along a side of the square map, at least 3.
        agents: Agents in an environment, in training and in the scenario `basic`.
        crowding: How many times as many agents the scenario `crowded` has on the same map, at least 2.
        episode_steps: Steps of an episode, in training and in evaluation.
        num_envs: Environments trained in step with each other.
        total_timesteps: Agent steps of the training; at least one episode of all environments.
        rollout_steps: Steps between two updates of the policy.
        learning_rate: How far an update moves the policy's preferences (logits), 0 to 100.
        value_learning_rate: How far an update moves the value of an observation, 0 to 1.
        discount: What a reward is worth a step later, 0 to 0.9999.
        trace_decay: How far ahead rewards are credited in full (lambda), 0 to 1.
        entropy_bonus: Reward for staying undecided, 0 to 100.
        eval_episodes: Episodes of each scenario.
        eval_seed: Seed of the evaluation's episodes, the same for all policies so that they can be compared.
        checkpoint_every: Agent steps between two checkpoints: at most so many are lost by a kill.
    """

    name: str = "arena"
    seed: int = 0
    rewards: bool = False
    converters: bool = False
    grid_size: int = 6
    agents: int = 2
    crowding: int = 2
    episode_steps: int = 500
    num_envs: int = 64
    total_timesteps: int = 2_500_000
    rollout_steps: int = 25
    learning_rate: float = 1.0
    value_learning_rate: float = 0.5
    discount: float = 0.98
    trace_decay: float = 0.9
    entropy_bonus: float = 0.01
    eval_episodes: int = 32
    eval_seed: int = 20_000
    checkpoint_every: int = 250_000


def settled(cfg: ArenaConfig) -> ArenaConfig:
    """A plain copy of a configuration, which may be an OmegaConf node with the same fields."""
    return ArenaConfig(**{field.name: getattr(cfg, field.name) for field in fields(ArenaConfig)})


_LOWEST = {
    "seed": 0,
    "eval_seed": 0,
    "grid_size": MIN_GRID_SIZE,
    "agents": 1,
    "crowding": 2,
    "episode_steps": 1,
    "num_envs": 1,
    "rollout_steps": 1,
    "eval_episodes": 1,
}

_RANGES = {
    "learning_rate": (0.0, 100.0),
    "value_learning_rate": (0.0, 1.0),
    "discount": (0.0, 0.9999),
    "trace_decay": (0.0, 1.0),
    "entropy_bonus": (0.0, 100.0),
}


def validate(cfg: ArenaConfig) -> None:
    """Checks every field, and those that depend on one another.

    Raises:
        UsageError: a value is out of its range; it names the field and the range.
    """
    for field in ("rewards", "converters"):
        _check_truth(cfg, field)
    for field, lowest in _LOWEST.items():
        _check_whole(cfg, field, lowest, todo=f"use {lowest} or more")
    for field, (low, high) in _RANGES.items():
        _check_real(cfg, field, low, high)
    batch = cfg.num_envs * cfg.agents
    _check_whole(
        cfg,
        "total_timesteps",
        batch * cfg.episode_steps,
        todo="train for at least one episode of every agent: num_envs * agents * episode_steps",
    )
    _check_whole(
        cfg,
        "checkpoint_every",
        batch * cfg.rollout_steps,
        todo="leave at least one update between checkpoints: num_envs * agents * rollout_steps",
    )


def _check_truth(cfg: ArenaConfig, field: str) -> None:
    value = getattr(cfg, field)
    if not isinstance(value, bool):
        raise UsageError(
            f"{field} must be true or false, not {value!r}", where=f"arena.{field}", todo="use true or false"
        )


def _check_whole(cfg: ArenaConfig, field: str, lowest: int, *, todo: str) -> None:
    value = getattr(cfg, field)
    if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
        raise UsageError(
            f"{field} must be a whole number of at least {lowest}, not {value!r}",
            where=f"arena.{field}",
            todo=todo,
        )


def _check_real(cfg: ArenaConfig, field: str, low: float, high: float) -> None:
    value = getattr(cfg, field)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise UsageError(
            f"{field} must be a number from {low:g} to {high:g}, not {value!r}",
            where=f"arena.{field}",
            todo=f"use the default, {getattr(ArenaConfig, field)}",
        )
