from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.workloads.burgers import BurgersConfig, judge
from app.workloads.burgers.gates import report

GOOD = {
    "final_nrmse": 0.5,
    "persistence_final_nrmse": 1.0,
    "nrmse_one_step": 0.09,
    "persistence_nrmse_one_step": 0.1,
}


def test_a_run_at_the_limit_passes_and_one_above_fails(small: BurgersConfig) -> None:
    assert all(verdict.passed for verdict in judge(replace(small, gate_ratio=0.9), GOOD))
    verdicts = judge(replace(small, gate_ratio=0.89), GOOD)
    assert [verdict.passed for verdict in verdicts] == [True, False]


@pytest.mark.parametrize("name", list(GOOD))
def test_a_missing_metric_fails_its_gate_and_says_so(small: BurgersConfig, name: str) -> None:
    metrics = {key: value for key, value in GOOD.items() if key != name}
    (failed,) = [verdict for verdict in judge(small, metrics) if not verdict.passed]
    assert failed.reason == f"{name} is missing"


@pytest.mark.parametrize(("threshold", "passed"), [(0.5, True), (0.49, False)])
def test_the_threshold_is_a_gate_of_its_own_in_the_report(
    small: BurgersConfig, tmp_path: Path, threshold: float, passed: bool
) -> None:
    metrics = report(replace(small, nrmse_threshold=threshold), GOOD, tmp_path / "report.json")
    written = json.loads((tmp_path / "report.json").read_text())
    assert metrics == {"gates_passed": int(passed), "gates_failed": int(not passed)}
    assert written["final_nrmse"] == 0.5 and written["gates_passed"] is passed
    assert [gate["gate"] for gate in written["gates"]] == ["persistence", "persistence", "threshold"]
    assert written["gates"][-1]["passed"] is passed
