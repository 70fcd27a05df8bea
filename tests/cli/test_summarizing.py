from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runyard.base import State
from runyard.record import PlanRow, SweepPaths, write_plan, write_run

from .conftest import MakeSweep, Runyard, a_run

ID = "20260131T120000Z-abc1234"
COMPLETED, FAILED = State.COMPLETED, State.FAILED


def sweep_over_seeds(make_sweep: MakeSweep, *, sweep_id: str = ID, shift: float = 0.0, sha: str = "abc1234def") -> Path:
    """Two learning rates by three seeds; the last job is of another commit when one is named."""
    folder = make_sweep(sweep_id, [COMPLETED] * 6)
    points = [{"model.lr": lr, "seed": seed} for lr in (0.1, 0.5) for seed in (1, 2, 3)]
    rows = [
        PlanRow(job=n, run_key=f"key{n}", run_dir=str(n), values={k: str(v) for k, v in point.items()})
        for n, point in enumerate(points)
    ]
    write_plan(SweepPaths(folder).plan_csv, rows, ["model.lr", "seed"])
    for n, point in enumerate(points):
        noise = point["seed"] ** 2 if point["model.lr"] < 0.5 else point["seed"]
        metrics = {"acc": shift + point["model.lr"] + noise / 100, "wins": n, "trials": 10}
        git = {"sha": sha if n == 5 else "abc1234def", "branch": "main", "dirty": False}
        overrides = tuple(f"{name}={value}" for name, value in point.items())
        run = a_run(folder, sweep_id, n, COMPLETED, params=point, metrics=metrics, overrides=overrides)
        write_run(replace(run, provenance={"git": git}))
    return folder


def table_rows(text: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_there_is_a_table_for_each_metric_with_a_row_for_each_combination(
    runyard: Runyard, make_sweep: MakeSweep
) -> None:
    sweep_over_seeds(make_sweep)

    lines = runyard("summary").stdout.splitlines()

    assert [lines[n] for n in (0, 5, 10)] == ["acc", "wins", "trials"]
    assert lines[1].split() == ["model.lr", "n", "mean", "95", "%", "interval", "std"]
    assert lines[2].split()[:3] == ["0.1", "3", "0.146667"]
    assert "mixed" not in "".join(lines)


def test_one_metric_grouped_by_one_name_at_another_confidence(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_over_seeds(make_sweep)

    text = runyard("summary", "-m", "acc", "--by", "seed", "--ci", "0.9", "--method", "bootstrap").stdout

    assert "90 % interval" in text
    assert [line.split()[:2] for line in text.splitlines()[2:5]] == [["1", "2"], ["2", "2"], ["3", "2"]]


def test_csv_and_json_hold_the_same_with_every_digit(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_over_seeds(make_sweep)

    rows = table_rows(runyard("summary", "--csv").stdout)
    whole = json.loads(runyard("summary", "--json").stdout)

    assert whole["mixtures"] == []
    assert [float(row["mean"]) for row in rows] == [row["mean"] for row in whole["rows"]]
    assert list(rows[0])[:4] == ["model.lr", "metric", "n", "missing"]
    assert (rows[0]["mixed"], whole["rows"][0]["mixed"]) == ("", None)


def test_what_is_mixed_stands_beside_the_number_and_is_said_below(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_over_seeds(make_sweep, sha="fff0000")

    text = runyard("summary", "-m", "acc").stdout.splitlines()

    assert text[3].split()[-1] == "commit"
    assert text[-1] == "mixed (commit): Runs are from different commits: abc1234 (5 jobs), fff0000 (job 5)."
    as_csv = runyard("summary", "--csv")
    assert "mixed (commit)" in as_csv.stderr and "mixed (commit)" not in as_csv.stdout
    assert json.loads(runyard("summary", "--json").stdout)["mixtures"][0]["values"]["fff0000"] == [5]


def test_strict_refuses_with_the_code_of_a_wrong_use(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_over_seeds(make_sweep, sha="fff0000")

    refused = runyard("summary", "--strict")

    assert refused.exit_code == 2
    assert "abc1234 (5 jobs), fff0000 (job 5)" in refused.stderr
    assert refused.stdout == ""


def test_strict_lets_pass_what_is_not_mixed(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_over_seeds(make_sweep)

    assert runyard("summary", "--strict").exit_code == 0


def test_strict_can_allow_a_kind(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_over_seeds(make_sweep, sha="fff0000")

    assert runyard("summary", "--strict", "--allow", "commit").exit_code == 0
    assert runyard("summary", "--strict", "--allow", "host").exit_code == 2
    assert "did you mean 'commit'?" in runyard("summary", "--strict", "--allow", "comit").stderr


def test_a_proportion_is_pooled_over_the_runs_of_a_row(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_over_seeds(make_sweep)

    lines = [line.split() for line in runyard("summary", "--proportion", "win=wins:trials").stdout.splitlines()]

    assert lines[0] == ["win"]
    assert lines[2][:3] == ["0.1", "3", "0.1"]
    assert lines[2][-2:] == ["3", "30"]
    assert "--proportion" in runyard("summary", "--proportion", "win=wins").stderr


def test_failed_and_missing_jobs_are_counted_and_said(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep(states=[COMPLETED, FAILED, State.PENDING])

    text = runyard("summary", "-m", "acc").stdout

    assert "missing  failed" in text
    assert "mixed (missing)" in text and "mixed (failed)" in text


def test_several_sweeps_are_put_side_by_side(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_over_seeds(make_sweep)
    other = "20260201T120000Z-abc1234"
    sweep_over_seeds(make_sweep, sweep_id=other, shift=1.0)

    rows = table_rows(runyard("summary", ID, other, "-m", "acc", "--csv").stdout)

    assert [row["sweep"] for row in rows] == [ID, ID, other, other]


def test_a_sweep_without_a_metric_says_so(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep(states=[FAILED])

    done = runyard("summary")

    assert done.exit_code == 0
    assert "no completed job has reported a metric" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-m", "ac"], "did you mean 'acc'?"),
        (["--by", "lrr"], "unknown swept name 'lrr'"),
        (["--ci", "95"], "for 95 % give 0.95"),
        (["--method", "magic"], "Known: bootstrap, student"),
    ],
)
def test_wrong_use_is_answered_with_what_to_do(
    runyard: Runyard, make_sweep: MakeSweep, arguments: list[str], said: str
) -> None:
    sweep_over_seeds(make_sweep)

    done = runyard("summary", *arguments)

    assert done.exit_code == 2
    assert said in done.stderr
