"""The learner: a tabular actor-critic. It turns a rollout into better preferences and values; it knows no world.

The actor is a softmax policy with one row of preferences per observation, the critic one value per observation.
Advantages are the exponentially weighted mean of n-step temporal differences (Schulman et al. 2016, "generalized
advantage estimation"). Each observation that was met moves by the mean policy gradient over its visits, so that
the many steps spent waiting for a cooldown weigh no more than the few in which something happens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .config import ArenaConfig
from .layout import ACTIONS
from .world import Floats, Ints

PREFERENCE_LIMIT = 8.0
"""Preferences stay within +-8, so that no action ever becomes impossible (odds of at most e^16)."""

_TINY = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """What was met and done in consecutive steps of all agents.

    Attributes:
        seen: Observations, shape (steps + 1, agents of all environments); the last row follows the last action.
        actions: Shape (steps, agents of all environments).
        rewards: Same shape.
    """

    seen: Ints
    actions: Ints
    rewards: Floats


class Learner:
    """A policy and what it believes observations to be worth.

    Attributes:
        logits: Preferences of the softmax policy, shape (observations, actions).
        values: Expected discounted reward from an observation on, shape (observations,).
    """

    def __init__(self, cfg: ArenaConfig, observations: int) -> None:
        self._cfg = cfg
        self.logits: Floats = np.zeros((observations, len(ACTIONS)))
        self.values: Floats = np.zeros(observations)

    def learn(self, rollout: Rollout) -> None:
        """Moves preferences and values by what a rollout has shown."""
        advantages = advantages_of(
            rollout.rewards,
            self.values[rollout.seen],
            discount=self._cfg.discount,
            trace_decay=self._cfg.trace_decay,
        ).ravel()
        met, visit, count = np.unique(rollout.seen[:-1], return_inverse=True, return_counts=True)
        visit = visit.ravel()  # numpy 2.0 alone gives it the shape of its input
        self.values[met] += self._cfg.value_learning_rate * np.bincount(visit, advantages) / count
        advantages /= advantages.std() + _TINY
        chance = softmax(self.logits[met])
        gradient = -chance * np.bincount(visit, advantages)[:, np.newaxis]
        taken = np.bincount(visit * len(ACTIONS) + rollout.actions.ravel(), advantages, minlength=gradient.size)
        gradient += taken.reshape(gradient.shape)
        gradient /= count[:, np.newaxis]
        gradient += self._cfg.entropy_bonus * entropy_gradient(chance)
        moved = self.logits[met] + self._cfg.learning_rate * gradient
        self.logits[met] = np.clip(moved, -PREFERENCE_LIMIT, PREFERENCE_LIMIT)


def advantages_of(rewards: Floats, values: Floats, *, discount: float, trace_decay: float) -> Floats:
    """How much better things went than the critic expected.

    Episodes end by the clock alone, so the last observation's value stands for all that would have followed.

    Args:
        rewards: Shape (steps, agents).
        values: Of the observations before each step and after the last, shape (steps + 1, agents).
        discount: What a reward is worth a step later.
        trace_decay: 0 looks one step ahead, 1 to the end of the rollout.

    Returns:
        Advantages, shape (steps, agents).
    """
    surprise = rewards + discount * values[1:] - values[:-1]
    advantages = np.empty_like(surprise)
    ahead = np.zeros(surprise.shape[1])
    for step in range(len(surprise) - 1, -1, -1):
        ahead = surprise[step] + discount * trace_decay * ahead
        advantages[step] = ahead
    return advantages


def softmax(logits: npt.NDArray[np.float64]) -> Floats:
    """Probabilities of actions, along the last axis."""
    weights: Floats = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights


def entropy_gradient(chance: Floats) -> Floats:
    """Gradient of the entropy of rows of probabilities with respect to their logits, same shape."""
    log_chance = np.log(chance + _TINY)
    entropy = -(chance * log_chance).sum(axis=-1, keepdims=True)
    gradient: Floats = -chance * (log_chance + entropy)
    return gradient
