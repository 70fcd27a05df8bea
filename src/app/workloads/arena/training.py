"""Training: lets agents act, learns from it, keeps checkpoints, and goes on from the last one after a kill."""

from __future__ import annotations

import csv
import io
import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.workloads.checkpoint import CHECKPOINT_FILE, load_checkpoint, save_checkpoint
from app.workloads.files import remove_leftovers, write_text
from runyard import checkpoint

from .config import ArenaConfig, settled, validate
from .layout import make_layout
from .learner import Learner, Rollout
from .policy import POLICY_FILE, choose_actions, save_policy
from .world import STATE_NAMES, World, observation_count

log = logging.getLogger(__name__)

CURVE_FILE = "curve.csv"
CURVE_SCHEMA = {
    "items": {
        "type": "object",
        "properties": {"agent_step": {"type": "integer", "minimum": 1}, "reward": {"type": "number"}},
        "required": ["agent_step", "reward"],
        "additionalProperties": False,
    }
}

FINAL_SHARE = 0.1
"""The final reward is the mean over the last tenth of the curve."""


def train(
    cfg: ArenaConfig,
    folder: Path,
    *,
    on_checkpoint: Callable[[int], None] | None = None,
    clock_s: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Learns a policy, and writes `policy.npz`, `curve.csv` and, while at work, `checkpoint.npz`.

    The curve has a row per episode: `agent_step` at its end, and `reward`, the mean over agents of what they were
    rewarded with in it. When the folder has a checkpoint the training goes on from there; policy and
    curve are then, byte for byte, those of a training that was never stopped. At the checkpoint signal it saves what it
    has, and ends.

    Args:
        cfg: The configuration; `seed` decides every draw.
        folder: An existing folder of its own.
        on_checkpoint: Called after each checkpoint with the agent steps done.
        clock_s: A clock in seconds.

    Returns:
        `agent_step` (agent steps done), `reward_final` (mean over the curve's last tenth) and `train_s` (seconds
        of training, those of earlier attempts up to their checkpoint included).

    Raises:
        UsageError: The configuration makes no sense, or the checkpoint belongs to another one.
        Requeue: The checkpoint signal came; the checkpoint is written.
    """
    cfg = settled(cfg)
    validate(cfg)
    remove_leftovers(folder)
    training = _Training(cfg, clock_s)
    training.resume(folder / CHECKPOINT_FILE)
    while not training.done:
        if checkpoint.requested():
            training.save(folder / CHECKPOINT_FILE)
            raise checkpoint.Requeue(f"the training is saved at agent step {training.agent_step}")
        if training.checkpoint_is_due():
            training.save(folder / CHECKPOINT_FILE)
            if on_checkpoint is not None:
                on_checkpoint(training.agent_step)
        training.advance()
    training.save(folder / CHECKPOINT_FILE)
    save_policy(folder / POLICY_FILE, training.learner.logits)
    write_text(folder / CURVE_FILE, _curve_csv(training.curve))
    last = math.ceil(len(training.curve) * FINAL_SHARE)
    return {
        "agent_step": training.agent_step,
        "reward_final": float(np.mean([reward for _, reward in training.curve[-last:]])),
        "train_s": training.elapsed_s(),
    }


class _Training:
    """A training under way: its world, its learner, and how far it has got."""

    def __init__(self, cfg: ArenaConfig, clock_s: Callable[[], float]) -> None:
        self._cfg = cfg
        self._clock_s = clock_s
        self._started_s = clock_s()
        self._rng = np.random.default_rng(cfg.seed)
        layout = make_layout(cfg.grid_size, converters=cfg.converters)
        self._world = World(layout, envs=cfg.num_envs, agents=cfg.agents, shaping=cfg.rewards, rng=self._rng)
        self._batch = cfg.num_envs * cfg.agents
        self._episode_reward = 0.0
        self._saved_step = 0
        self.learner = Learner(cfg, observation_count(layout))
        self.agent_step = 0
        self.curve: list[tuple[int, float]] = []

    @property
    def done(self) -> bool:
        return self.agent_step >= self._cfg.total_timesteps

    def elapsed_s(self) -> float:
        return self._clock_s() - self._started_s

    def checkpoint_is_due(self) -> bool:
        """Whether the next update would bring more unsaved steps than may be lost."""
        after = self.agent_step + self._next_steps() * self._batch
        return after - self._saved_step > self._cfg.checkpoint_every

    def advance(self) -> None:
        """Lets agents act until the next update is due or the episode ends, and learns from it."""
        rollout = self._act(self._next_steps())
        self.learner.learn(rollout)
        self.agent_step += rollout.actions.size
        self._episode_reward += float(rollout.rewards.sum()) / self._batch
        if self._world.clock >= self._cfg.episode_steps:
            self.curve.append((self.agent_step, self._episode_reward))
            self._episode_reward = 0.0
            self._world.reset(self._rng)

    def _next_steps(self) -> int:
        episode_left = self._cfg.episode_steps - self._world.clock
        budget_left = math.ceil((self._cfg.total_timesteps - self.agent_step) / self._batch)
        return min(self._cfg.rollout_steps, episode_left, budget_left)

    def _act(self, steps: int) -> Rollout:
        seen = np.empty((steps + 1, self._batch), dtype=np.int64)
        actions = np.empty((steps, self._batch), dtype=np.int64)
        rewards = np.empty((steps, self._batch))
        now = self._world.observe()
        for step in range(steps):
            chosen = choose_actions(self.learner.logits, now, self._rng)
            seen[step], actions[step] = now.ravel(), chosen.ravel()
            rewards[step] = self._world.step(chosen).ravel()
            now = self._world.observe()
        seen[steps] = now.ravel()
        return Rollout(seen=seen, actions=actions, rewards=rewards)

    def save(self, path: Path) -> None:
        """Writes the checkpoint."""
        arrays: dict[str, npt.NDArray[Any]] = {
            "logits": self.learner.logits,
            "values": self.learner.values,
            "agent_step": np.array(self.agent_step),
            "episode_reward": np.array(self._episode_reward),
            "curve": np.array(self.curve, dtype=np.float64).reshape(-1, 2),
            "elapsed_s": np.array(self.elapsed_s()),
            **self._world.state(),
        }
        save_checkpoint(path, _course(self._cfg), self._rng, arrays)
        self._saved_step = self.agent_step

    def resume(self, path: Path) -> None:
        """Goes on from the checkpoint, where there is one."""
        saved = load_checkpoint(path, _course(self._cfg), self._rng)
        if saved is None:
            return
        self.learner.logits, self.learner.values = saved["logits"], saved["values"]
        self.agent_step = self._saved_step = int(saved["agent_step"])
        self._episode_reward = float(saved["episode_reward"])
        self.curve = [(int(step), float(reward)) for step, reward in saved["curve"]]
        self._started_s -= float(saved["elapsed_s"])
        self._world.restore({name: saved[name] for name in STATE_NAMES})
        log.info("training goes on from agent step %d", self.agent_step)


def _curve_csv(curve: list[tuple[int, float]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("agent_step", "reward"))
    writer.writerows(curve)
    return text.getvalue()


_NOT_TRAINING = ("name", "crowding", "eval_episodes", "eval_seed", "checkpoint_every")
"""Fields that leave the course of a training as it is."""


def _course(cfg: ArenaConfig) -> dict[str, Any]:
    """The settings on which the course of a training depends: its checkpoint belongs to them."""
    return {key: value for key, value in asdict(cfg).items() if key not in _NOT_TRAINING}
