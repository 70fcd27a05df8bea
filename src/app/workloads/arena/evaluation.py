"""Evaluation: the same episodes for every policy, in two scenarios."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

import runyard
from app.workloads.files import write_text

from .config import ArenaConfig, settled, validate
from .layout import make_layout
from .policy import choose_actions, load_policy
from .world import Floats, World

SCENARIOS = ("basic", "crowded")
EVALUATION_FILE = "evaluation.json"
_METRICS = ("eval_arena/score", *(f"eval_arena/{scenario}" for scenario in SCENARIOS))
EVALUATION_SCHEMA = {
    "type": "object",
    "properties": {
        "policy_uri": {"type": "string"},
        "eval_seed": {"type": "integer", "minimum": 0},
        "eval_episodes": {"type": "integer", "minimum": 1},
        "metrics": {
            "type": "object",
            "properties": {name: {"type": "number", "minimum": 0} for name in _METRICS},
            "required": list(_METRICS),
        },
    },
    "required": ["policy_uri", "eval_seed", "eval_episodes", "metrics"],
}


def evaluate(cfg: ArenaConfig, policy_uri: Path | str, folder: Path) -> dict[str, float]:
    """Plays a policy in both scenarios, adds a row per episode to the run's table `episodes`, sums up.

    The table's columns: `scenario`, `episode` (from 0), `hearts_per_agent`. The folder gets `evaluation.json`:
    the policy that was played, the seed, the number of episodes, and the metrics.

    Args:
        cfg: The configuration; draws depend on `eval_seed`, not on `seed`.
        policy_uri: The policy of a training, a path or a `file://` address.
        folder: An existing folder of its own.

    Returns:
        Hearts per agent and episode: `eval_arena/basic`, `eval_arena/crowded`, and `eval_arena/score`, their mean.

    Raises:
        UsageError: The configuration makes no sense, the policy is missing or does not fit, or no run is active.
    """
    cfg = settled(cfg)
    validate(cfg)
    logits = load_policy(policy_uri, make_layout(cfg.grid_size, converters=cfg.converters))
    table = runyard.table("episodes")
    means: dict[str, float] = {}
    for scenario in SCENARIOS:
        hearts = play(cfg, logits, scenario)
        table.extend(
            {"scenario": scenario, "episode": episode, "hearts_per_agent": float(value)}
            for episode, value in enumerate(hearts)
        )
        means[scenario] = float(hearts.mean())
    metrics = {"eval_arena/score": sum(means.values()) / len(means)}
    metrics |= {f"eval_arena/{scenario}": mean for scenario, mean in means.items()}
    summary = {
        "policy_uri": str(policy_uri),
        "eval_seed": cfg.eval_seed,
        "eval_episodes": cfg.eval_episodes,
        "metrics": metrics,
    }
    write_text(folder / EVALUATION_FILE, json.dumps(summary, indent=2) + "\n")
    return metrics


def play(cfg: ArenaConfig, logits: npt.NDArray[np.float64], scenario: str) -> Floats:
    """Plays `eval_episodes` episodes of a scenario; writes nothing.

    Args:
        cfg: The configuration.
        logits: The policy, shape (observations, actions).
        scenario: One of `SCENARIOS`.

    Returns:
        Hearts per agent of each episode, shape (eval_episodes,).
    """
    rng = np.random.default_rng([cfg.eval_seed, SCENARIOS.index(scenario)])
    agents = cfg.agents * (cfg.crowding if scenario == "crowded" else 1)
    layout = make_layout(cfg.grid_size, converters=cfg.converters)
    world = World(layout, envs=cfg.eval_episodes, agents=agents, shaping=False, rng=rng)
    for _ in range(cfg.episode_steps):
        world.step(choose_actions(logits, world.observe(), rng))
    return world.hearts_per_agent()
