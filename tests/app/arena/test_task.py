from __future__ import annotations

import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from app.workloads.arena import ArenaConfig, run, train
from app.workloads.checkpoint import CHECKPOINT_FILE
from runyard import UsageError
from runyard.testing import active_run

METRICS = [
    "agent_step",
    "reward_final",
    "train_s",
    "eval_arena/score",
    "eval_arena/basic",
    "eval_arena/crowded",
]


def test_a_job_trains_and_evaluates_and_returns_the_metrics_of_both(small: ArenaConfig, tmp_path: Path) -> None:
    with active_run(tmp_path) as active:
        metrics = run(small)
    assert list(metrics) == METRICS
    assert list(active.stages) == ["train", "evaluate"]
    assert list(active.stages["train"].metrics) == METRICS[:3]
    assert list(active.stages["evaluate"].metrics) == METRICS[3:]


def test_each_stage_keeps_its_files_in_its_own_folder(small: ArenaConfig, tmp_path: Path) -> None:
    with active_run(tmp_path):
        run(small)
    assert (tmp_path / "train" / "policy.npz").is_file()
    assert (tmp_path / "train" / "curve.csv").is_file()
    assert (tmp_path / "evaluate" / "evaluation.json").is_file()
    assert json.loads((tmp_path / "evaluate" / "evaluation.json").read_text())["policy_uri"] == str(
        tmp_path / "train" / "policy.npz"
    )
    rows = list((tmp_path / "evaluate").rglob("episodes.jsonl"))
    assert len(rows) == 1
    assert len(rows[0].read_text().splitlines()) == 2 * small.eval_episodes


def test_a_training_that_fails_is_not_evaluated(small: ArenaConfig, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / CHECKPOINT_FILE).write_bytes(b"no checkpoint at all")
    with active_run(tmp_path) as active, pytest.raises(UsageError, match=CHECKPOINT_FILE):
        run(small)
    assert active.stages["train"].state.name == "FAILED"
    assert active.stages["evaluate"].state.name == "PENDING"
    assert [path.name for path in (tmp_path / "evaluate").iterdir()] == ["stage.json"]


def test_a_second_attempt_repeats_no_stage_that_was_done(small: ArenaConfig, tmp_path: Path) -> None:
    with active_run(tmp_path):
        first = run(small)
    shutil.rmtree(tmp_path / "evaluate")
    policy = tmp_path / "train" / "policy.npz"
    written_ns = policy.stat().st_mtime_ns
    with active_run(tmp_path, attempt=2):
        assert run(small) == first
    assert policy.stat().st_mtime_ns == written_ns
    assert (tmp_path / "evaluate" / "evaluation.json").is_file()


def test_a_training_that_was_stopped_half_way_is_taken_up_from_its_checkpoint_and_ends_alike(
    small: ArenaConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def stop(agent_step: int) -> None:
        raise KeyboardInterrupt

    whole, broken = tmp_path / "whole", tmp_path / "broken"
    (broken / "train").mkdir(parents=True)
    with pytest.raises(KeyboardInterrupt):
        train(small, broken / "train", on_checkpoint=stop)
    with active_run(broken, attempt=2), caplog.at_level(logging.INFO):
        resumed = run(small)
    assert "goes on from agent step 800" in caplog.text
    with active_run(whole):
        assert {**run(small), "train_s": 0} == {**resumed, "train_s": 0}
    policies = [(folder / "train" / "policy.npz").read_bytes() for folder in (whole, broken)]
    assert policies[0] == policies[1]


def test_a_configuration_from_hydra_gives_the_same_metrics(small: ArenaConfig, tmp_path: Path) -> None:
    node: Any = OmegaConf.structured(small)
    OmegaConf.set_readonly(node, True)
    metrics = []
    for name, cfg in (("plain", small), ("hydra", node)):
        with active_run(tmp_path / name):
            metrics.append({**run(cfg), "train_s": 0})
    assert metrics[0] == metrics[1]


def test_a_wrong_configuration_starts_no_stage(small: ArenaConfig, tmp_path: Path) -> None:
    with active_run(tmp_path), pytest.raises(UsageError, match="agents"):
        run(replace(small, agents=0))
    assert list(tmp_path.iterdir()) == []
