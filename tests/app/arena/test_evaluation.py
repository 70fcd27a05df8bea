from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.workloads.arena import ArenaConfig, evaluate
from app.workloads.arena.evaluation import play
from app.workloads.arena.layout import make_layout
from app.workloads.arena.policy import random_policy, save_policy
from runyard import UsageError
from runyard.testing import active_run


@pytest.fixture
def policy(small: ArenaConfig, tmp_path: Path) -> Path:
    path = tmp_path / "policy.npz"
    save_policy(path, random_policy(make_layout(small.grid_size, converters=small.converters)))
    return path


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Path]:
    """A folder inside a run at work."""
    folder = tmp_path / "run" / "evaluate"
    folder.mkdir(parents=True)
    with active_run(folder.parent):
        yield folder


def rows_of(run_dir: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run_dir / "tables" / "episodes.jsonl").read_text().splitlines()]


def test_the_metrics_are_hearts_per_agent_by_scenario_and_their_mean(
    small: ArenaConfig, policy: Path, stage: Path
) -> None:
    metrics = evaluate(replace(small, episode_steps=400), policy, stage)
    assert list(metrics) == ["eval_arena/score", "eval_arena/basic", "eval_arena/crowded"]
    assert metrics["eval_arena/score"] == (metrics["eval_arena/basic"] + metrics["eval_arena/crowded"]) / 2
    assert metrics["eval_arena/score"] > 0


def test_every_episode_is_a_row_of_the_table(small: ArenaConfig, policy: Path, stage: Path) -> None:
    metrics = evaluate(replace(small, episode_steps=400), policy, stage)
    rows = rows_of(stage.parent)
    assert [(row["scenario"], row["episode"]) for row in rows] == [
        (scenario, episode) for scenario in ("basic", "crowded") for episode in range(5)
    ]
    basic = [row["hearts_per_agent"] for row in rows if row["scenario"] == "basic"]
    assert np.mean(np.array(basic, dtype=float)) == pytest.approx(metrics["eval_arena/basic"])


def test_the_folder_tells_which_policy_was_played(small: ArenaConfig, policy: Path, stage: Path) -> None:
    metrics = evaluate(small, policy, stage)
    summary = json.loads((stage / "evaluation.json").read_text())
    assert summary == {"policy_uri": str(policy), "eval_seed": 20_000, "eval_episodes": 5, "metrics": metrics}


def test_a_file_address_is_a_policy_uri_too(small: ArenaConfig, policy: Path, stage: Path) -> None:
    assert evaluate(small, policy.as_uri(), stage) == evaluate(small, str(policy), stage)


def test_episodes_depend_on_the_evaluation_seed_alone(small: ArenaConfig) -> None:
    cfg = replace(small, episode_steps=400)
    logits = random_policy(make_layout(4, converters=True))
    first = play(cfg, logits, "basic").tolist()
    assert play(replace(cfg, seed=99), logits, "basic").tolist() == first
    assert play(replace(cfg, eval_seed=1), logits, "basic").tolist() != first


def test_a_missing_policy_is_an_error_that_names_the_file(small: ArenaConfig, stage: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.npz"):
        evaluate(small, stage / "nowhere.npz", stage)


def test_an_address_that_is_no_file_is_refused(small: ArenaConfig, stage: Path) -> None:
    with pytest.raises(UsageError, match="s3"):
        evaluate(small, "s3://bucket/policy.npz", stage)


def test_a_policy_of_a_map_of_another_size_is_refused(small: ArenaConfig, policy: Path, stage: Path) -> None:
    with pytest.raises(UsageError, match="grid_size"):
        evaluate(replace(small, grid_size=5), policy, stage)
