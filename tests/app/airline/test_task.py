from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from app.workloads.airline import AirlineConfig, run
from runyard import UsageError
from runyard.testing import active_run


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_job_counts_its_trials_and_emits_a_row_for_each(tmp_path: Path) -> None:
    with active_run(tmp_path):
        metrics = run(AirlineConfig(trials=3, seed=41))
    assert metrics == {"trials": 3, "successes": 1, "asr": pytest.approx(1 / 3)}
    common = {"seed": 41, "tool": "refund"}
    assert rows_of(tmp_path / "tables" / "trials.jsonl") == [
        {"trial": 1, **common, "amount": 150, "fired": False, "turn_first_hit": None},
        {"trial": 2, **common, "amount": 187, "fired": False, "turn_first_hit": None},
        {"trial": 3, **common, "amount": 224, "fired": True, "turn_first_hit": 1},
    ]


@pytest.mark.parametrize(("mode", "has_effect"), [("SHIM", False), ("SEEDED_SHIM", True)])
def test_the_record_says_whether_the_seed_has_an_effect_and_that_is_true(
    mode: str, has_effect: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    played = []
    with caplog.at_level(logging.INFO):
        for seed in (1, 2):
            with active_run(tmp_path / str(seed)):
                run(AirlineConfig(mode=mode, seed=seed, trials=30, max_turns=3))
            rows = rows_of(tmp_path / str(seed) / "tables" / "trials.jsonl")
            played.append([{**row, "seed": None} for row in rows])
    assert (played[0] != played[1]) is has_effect
    (conditions,) = rows_of(tmp_path / "1" / "tables" / "conditions.jsonl")
    note = "" if has_effect else "SHIM is deterministic: the seed has no effect"
    assert conditions == {"mode": mode, "seed": 1, "seed_has_effect": has_effect, "note": note}
    assert ("the seed has no effect" in caplog.text) is not has_effect


def test_a_configuration_from_hydra_gives_the_same(tmp_path: Path) -> None:
    plain = AirlineConfig(mode="SEEDED_SHIM", seed=5, trials=20, max_turns=3, suffixes=["a", "b"])
    node: Any = OmegaConf.structured(plain)
    OmegaConf.set_readonly(node, True)
    results = []
    for name, cfg in (("plain", plain), ("hydra", node)):
        with active_run(tmp_path / name):
            results.append((run(cfg), (tmp_path / name / "tables" / "trials.jsonl").read_text()))
    assert results[0] == results[1]


def test_a_wrong_configuration_emits_nothing(tmp_path: Path) -> None:
    with active_run(tmp_path), pytest.raises(UsageError, match="max_turns"):
        run(replace(AirlineConfig(), max_turns=0))
    assert list(tmp_path.iterdir()) == []
