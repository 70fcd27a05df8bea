"""What the workload is expected to show, at a small budget and over five seeds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from app.workloads.arena import ArenaConfig, train
from app.workloads.arena.evaluation import SCENARIOS, play
from app.workloads.arena.layout import make_layout
from app.workloads.arena.policy import load_policy, random_policy

SEEDS = range(5)
BUDGET = 200_000

Scores = Mapping[tuple[bool, bool], npt.NDArray[np.float64]]


def score(cfg: ArenaConfig, logits: npt.NDArray[np.float64]) -> float:
    return float(np.mean([play(cfg, logits, scenario).mean() for scenario in SCENARIOS]))


def learned_score(folder: Path, *, rewards: bool, converters: bool, seed: int) -> float:
    cfg = ArenaConfig(rewards=rewards, converters=converters, seed=seed, total_timesteps=BUDGET)
    train(cfg, folder)
    layout = make_layout(cfg.grid_size, converters=converters)
    return score(cfg, load_policy(folder / "policy.npz", layout))


def random_score(*, converters: bool) -> float:
    cfg = ArenaConfig(converters=converters)
    return score(cfg, random_policy(make_layout(cfg.grid_size, converters=converters)))


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Scores:
    """Scores by (rewards, converters), one per seed."""
    return {
        (rewards, converters): np.array(
            [
                learned_score(tmp_path_factory.mktemp("train"), rewards=rewards, converters=converters, seed=seed)
                for seed in SEEDS
            ]
        )
        for rewards in (False, True)
        for converters in (False, True)
    }


@pytest.mark.parametrize("rewards", [False, True])
def test_the_easy_altar_gives_clearly_more_hearts_in_every_seed(scores: Scores, rewards: bool) -> None:
    assert scores[rewards, True].min() > 2 * scores[rewards, False].max()


@pytest.mark.parametrize("converters", [False, True])
def test_shaping_gives_a_clearly_higher_score_early(scores: Scores, converters: bool) -> None:
    assert scores[True, converters].mean() > scores[False, converters].mean() + 0.5


@pytest.mark.parametrize(("rewards", "converters"), [(True, False), (False, True), (True, True)])
def test_a_learned_policy_beats_a_random_one_clearly(scores: Scores, rewards: bool, converters: bool) -> None:
    assert scores[rewards, converters].min() > 5 * random_score(converters=converters) + 0.5


def test_seeds_make_a_difference(scores: Scores) -> None:
    assert all(len(set(found)) == len(SEEDS) for key, found in scores.items() if key != (False, False))
