from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from tests.analyze.factory import Outcome, grid, write_a_sweep

from runyard.analyze import LoadedSweep, load_sweep
from runyard.base import RecordError, State, UsageError
from runyard.gates import gate_sweep, gates_of_job, junit_xml, parse_rules, read_gates, write_gates

POINTS = list(grid(lr=[0.1, 0.2], seed=[0, 1, 2]))
RULES = parse_rules(["loss < 0.5", {"metric": "loss", "min_delta": 0.05, "mode": "min"}])


def loss_of(point: Mapping[str, Any], less: float = 0.0) -> dict[str, float]:
    return {"loss": 0.3 + (0.4 if point["lr"] > 0.1 else 0.0) + 0.01 * point["seed"] - less}


def a_sweep(folder: Path, less: float = 0.0, failing: int | None = None) -> LoadedSweep:
    def task(point: Mapping[str, Any]) -> Outcome:
        return State.FAILED if failing is not None and point == POINTS[failing] else loss_of(point, less)

    return load_sweep(write_a_sweep(folder, POINTS, task))


def test_each_cell_is_judged_over_its_seeds(tmp_path: Path) -> None:
    report = gate_sweep(a_sweep(tmp_path / "e" / "s"), RULES)
    assert [(dict(cell.setting), cell.jobs, cell.passed) for cell in report.cells] == [
        ({"lr": 0.1}, (0, 1, 2), True),
        ({"lr": 0.2}, (3, 4, 5), False),
    ]
    assert not report.passed
    assert report.cells[0].verdicts[0].value == pytest.approx(0.31)
    assert [verdict.provisional for verdict in report.cells[0].verdicts] == [False, True]


def test_a_baseline_gives_to_each_cell_its_own(tmp_path: Path) -> None:
    before, after = a_sweep(tmp_path / "e" / "s1"), a_sweep(tmp_path / "e" / "s2", less=0.06)
    report = gate_sweep(after, RULES[1:], baseline=before, baseline_name="s1")
    assert report.passed
    assert [cell.verdicts[0].baseline for cell in report.cells] == [pytest.approx(0.31), pytest.approx(0.71)]
    assert not gate_sweep(before, RULES[1:], baseline=after, baseline_name="s2").passed


def test_a_baseline_of_one_cell_is_that_of_all(tmp_path: Path) -> None:
    before, after = a_sweep(tmp_path / "e" / "s1"), a_sweep(tmp_path / "e" / "s2", less=0.06)
    report = gate_sweep(after, RULES[1:], baseline=before, baseline_job=4)
    assert [cell.verdicts[0].baseline for cell in report.cells] == [pytest.approx(0.71)] * 2


def test_a_failed_seed_fails_its_cell_unless_that_is_allowed(tmp_path: Path) -> None:
    sweep = a_sweep(tmp_path / "e" / "s", failing=1)
    strict, lenient = gate_sweep(sweep, RULES[:1]), gate_sweep(sweep, RULES[:1], allow_missing=True)
    assert [cell.passed for cell in strict.cells] == [False, False]
    assert "is missing in 1 of 3 runs" in strict.cells[0].verdicts[0].why
    assert [cell.passed for cell in lenient.cells] == [True, False]


def test_a_metric_that_nobody_reported_fails_everywhere(tmp_path: Path) -> None:
    report = gate_sweep(a_sweep(tmp_path / "e" / "s"), parse_rules(["los < 0.5"]))
    assert [cell.passed for cell in report.cells] == [False, False]


def test_of_one_job_only_its_cell_is_judged(tmp_path: Path) -> None:
    sweep = a_sweep(tmp_path / "e" / "s")
    assert [cell.jobs for cell in gate_sweep(sweep, RULES, job=4).cells] == [(3, 4, 5)]
    with pytest.raises(UsageError, match="no job 9"):
        gate_sweep(sweep, RULES, job=9)


def test_without_a_rule_nothing_passes(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no rule"):
        gate_sweep(a_sweep(tmp_path / "e" / "s"), ())


def test_the_verdicts_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    sweep = a_sweep(tmp_path / "e" / "s")
    assert read_gates(sweep.dir) is None
    assert gates_of_job(sweep.dir, 0) is None
    report = gate_sweep(sweep, RULES, baseline=sweep, baseline_name="itself")
    write_gates(sweep.dir, report)
    again = read_gates(sweep.dir)
    assert again == report
    found = gates_of_job(sweep.dir, 5)
    assert found is not None
    assert found.jobs == (3, 4, 5)
    assert gates_of_job(sweep.dir, 77) is None


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"schema": 99}'])
def test_a_damaged_file_is_an_error_and_no_verdict(tmp_path: Path, text: str) -> None:
    (tmp_path / "gates.json").write_text(text)
    with pytest.raises(RecordError, match=r"gates\.json"):
        read_gates(tmp_path)


def test_junit_has_a_case_for_each_gate_in_each_cell(tmp_path: Path) -> None:
    report = gate_sweep(a_sweep(tmp_path / "e" / "s"), RULES)
    suite = ElementTree.fromstring(junit_xml(report))
    assert (suite.get("tests"), suite.get("failures")) == ("4", "1")
    failed = [case for case in suite if case.find("failure") is not None]
    assert [(case.get("classname"), case.get("name")) for case in failed] == [("lr=0.2", "loss < 0.5")]


def test_a_nan_of_one_seed_is_not_averaged_away(tmp_path: Path) -> None:
    def task(point: Mapping[str, Any]) -> Outcome:
        return {"loss": math.nan if point["seed"] == 1 else 0.1}

    report = gate_sweep(load_sweep(write_a_sweep(tmp_path / "e" / "s", POINTS, task)), RULES[:1])
    assert not report.passed
    assert "not a finite number in 1 of 3 runs" in report.cells[0].verdicts[0].why
