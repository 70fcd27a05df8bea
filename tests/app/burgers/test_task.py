from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.workloads.burgers import BurgersConfig, run
from runyard import UsageError
from runyard.base import State
from runyard.testing import active_run

STAGES = ["data", "train", "evaluate", "gates"]


def how(folder: Path, stage: str) -> str:
    text: str = json.loads((folder / stage / "stage.json").read_text())["how"]
    return text.partition(" from")[0]


def test_a_job_runs_its_four_stages_and_tells_first_what_it_is_judged_by(small: BurgersConfig, tmp_path: Path) -> None:
    with active_run(tmp_path) as active:
        metrics = run(small)
    assert list(active.stages) == STAGES
    order = [name for stage in ("evaluate", "gates", "train", "data") for name in active.stages[stage].metrics]
    assert list(metrics) == order
    report = (tmp_path / "report.json").read_text()
    assert report == (tmp_path / "gates" / "report.json").read_text()
    assert json.loads(report)["final_nrmse"] == metrics["final_nrmse"]


def test_jobs_with_the_same_data_settings_share_the_data(
    small: BurgersConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNYARD_STAGE_CACHE", str(tmp_path / "cache"))
    configs = {"one": small, "seed": replace(small, seed=1), "data": replace(small, data_seed=1)}
    for name, cfg in configs.items():
        with active_run(tmp_path / name):
            run(cfg)
    assert [how(tmp_path / name, "data") for name in configs] == ["run", "cached", "run"]
    assert [how(tmp_path / name, "train") for name in configs] == ["run", "run", "run"]


def test_a_second_attempt_repeats_no_stage_that_was_done(small: BurgersConfig, tmp_path: Path) -> None:
    with active_run(tmp_path):
        first = run(small)
    (tmp_path / "gates" / "report.json").unlink()
    with active_run(tmp_path, attempt=2):
        assert run(small) == first
    records = {stage: json.loads((tmp_path / stage / "stage.json").read_text()) for stage in STAGES}
    done_before = {stage: record.get("done_before", False) for stage, record in records.items()}
    assert done_before == {"data": True, "train": True, "evaluate": True, "gates": False}


def test_after_a_training_that_fails_nothing_is_evaluated(small: BurgersConfig, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "checkpoint.npz").write_bytes(b"no checkpoint at all")
    with active_run(tmp_path) as active, pytest.raises(UsageError, match="checkpoint"):
        run(small)
    assert [active.stages[stage].state for stage in STAGES] == [
        State.COMPLETED,
        State.FAILED,
        State.PENDING,
        State.PENDING,
    ]
    assert not (tmp_path / "report.json").exists()
