from __future__ import annotations

import numpy as np
import pytest

from app.workloads.arena import ArenaConfig
from app.workloads.arena.learner import (
    PREFERENCE_LIMIT,
    Learner,
    Rollout,
    advantages_of,
    entropy_gradient,
    softmax,
)
from app.workloads.arena.policy import choose_actions


def test_advantages_equal_discounted_sums_when_the_trace_does_not_decay() -> None:
    rewards = np.array([[1.0], [0.0], [2.0]])
    values = np.array([[0.5], [0.25], [4.0], [8.0]])
    found = advantages_of(rewards, values, discount=0.5, trace_decay=1.0)
    # 1 + 0/2 + 2/4 + 8/8 - 0.5; 0 + 2/2 + 8/4 - 0.25; 2 + 8/2 - 4
    assert found[:, 0].tolist() == pytest.approx([2.0, 2.75, 2.0])


def test_advantages_look_one_step_ahead_without_a_trace() -> None:
    rewards = np.array([[1.0], [0.0]])
    values = np.array([[0.5], [0.25], [4.0]])
    found = advantages_of(rewards, values, discount=0.5, trace_decay=0.0)
    assert found[:, 0].tolist() == pytest.approx([0.625, 1.75])


def test_the_entropy_gradient_agrees_with_finite_differences() -> None:
    logits = np.array([[0.3, -1.0, 0.7, 0.0, 0.2]])

    def entropy(of: np.ndarray) -> float:
        chance = softmax(of)
        return float(-(chance * np.log(chance)).sum())

    steps = 1e-6 * np.eye(5)
    numeric = [(entropy(logits + step) - entropy(logits - step)) / 2e-6 for step in steps]
    assert entropy_gradient(softmax(logits))[0].tolist() == pytest.approx(numeric, abs=1e-6)


def test_a_learner_comes_to_prefer_the_action_that_pays() -> None:
    learner = Learner(ArenaConfig(), observations=1)
    rng = np.random.default_rng(0)
    for _ in range(50):
        actions = choose_actions(learner.logits, np.zeros((8, 4), dtype=np.int64), rng)
        learner.learn(
            Rollout(seen=np.zeros((9, 4), dtype=np.int64), actions=actions, rewards=(actions == 2).astype(float))
        )
    assert softmax(learner.logits)[0, 2] > 0.9
    assert np.abs(learner.logits).max() <= PREFERENCE_LIMIT


def test_observations_that_were_not_met_stay_as_they_were() -> None:
    learner = Learner(ArenaConfig(), observations=3)
    seen = np.array([[0, 1], [1, 0], [2, 2]])  # 2 only follows the last action
    learner.learn(Rollout(seen=seen, actions=np.zeros((2, 2), dtype=np.int64), rewards=np.ones((2, 2))))
    assert learner.values[:2].min() > 0
    assert learner.values[2] == 0
    assert not learner.logits[2].any()


def test_actions_are_drawn_with_the_odds_of_the_softmax() -> None:
    logits = np.array([[0.0, 1.0, -1.0, 0.5, 0.0]])
    drawn = choose_actions(logits, np.zeros((100, 200), dtype=np.int64), np.random.default_rng(5))
    shares = np.bincount(drawn.ravel(), minlength=5) / drawn.size
    assert shares.tolist() == pytest.approx(softmax(logits)[0].tolist(), abs=0.015)
