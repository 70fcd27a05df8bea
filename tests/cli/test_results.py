from __future__ import annotations

import csv
import io
import json

import pytest

from runyard.analyze import write_results
from runyard.base import State
from runyard.cli.results import ordered
from runyard.record import SweepPaths, write_run

from .conftest import MakeSweep, Runyard, a_run

COMPLETED, FAILED, PENDING, RUNNING = State.COMPLETED, State.FAILED, State.PENDING, State.RUNNING
ID = "20260131T120000Z-abc1234"


def test_the_table_has_swept_values_metrics_and_seconds(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep()
    lines = [line.split() for line in runyard("results").stdout.splitlines()]
    assert lines == [
        ["job", "state", "model.lr", "seed", "acc", "loss", "seconds"],
        ["0", "COMPLETED", "0", "1", "0.5", "nan", "2.5"],
        ["1", "FAILED", "0.1", "1", "-", "-", "2.5"],
        ["2", "COMPLETED", "0.2", "1", "0.7", "nan", "2.5"],
    ]


def test_the_csv_is_that_of_the_file(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep()
    write_results(sweep_dir)
    assert runyard("results", "--csv").stdout == SweepPaths(sweep_dir).results_csv.read_text()


def test_json_keeps_every_digit_and_leaves_missing_metrics_empty(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep()
    write_run(a_run(sweep_dir, ID, 0, COMPLETED, metrics={"acc": 0.1 + 0.2}))
    rows = json.loads(runyard("results", "--json").stdout)
    assert [row["acc"] for row in rows] == [0.30000000000000004, None, 0.7]
    assert (rows[0]["job"], rows[0]["model.lr"], rows[2]["loss"]) == (0, 0, "NaN")


def test_results_can_be_read_while_the_sweep_runs(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep(states=[COMPLETED, RUNNING, PENDING])
    lines = runyard("results").stdout.splitlines()
    assert len(lines) == 5
    assert lines[-1] == "2 of 3 jobs have not ended"


def test_metrics_rows_and_their_order_can_be_chosen(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep(states=[COMPLETED, COMPLETED, FAILED, COMPLETED])

    def jobs(*arguments: str) -> list[int]:
        return [row["job"] for row in json.loads(runyard("results", "--json", *arguments).stdout)]

    assert jobs("--sort", "acc", "--desc") == [3, 1, 0, 2]
    assert jobs("--sort", "acc") == [0, 1, 3, 2]
    assert jobs("--sort", "acc", "--desc", "--limit", "1") == [3]
    assert jobs("--desc") == [3, 2, 1, 0]
    header = next(csv.reader(io.StringIO(runyard("results", "--csv", "--metric", "acc").stdout)))
    assert header == ["job", "state", "model.lr", "seed", "acc", "seconds", "attempts", "run_key", "git_sha", "run_dir"]


@pytest.mark.parametrize(("option", "kind"), [("--metric", "metric"), ("--sort", "column")])
def test_an_unknown_column_is_answered_with_the_closest(
    option: str, kind: str, runyard: Runyard, make_sweep: MakeSweep
) -> None:
    make_sweep()
    result = runyard("results", option, "los")
    assert result.exit_code == 2
    assert f"unknown {kind} 'los'" in result.stderr
    assert "did you mean 'loss'?" in result.stderr


def test_mixed_columns_are_ordered_numbers_first_and_the_empty_last() -> None:
    columns = {"job": [0, 1, 2, 3, 4], "x": ["b", None, 2.0, "a", float("nan")]}
    assert ordered(columns, "x", False) == [2, 3, 0, 1, 4]
    assert ordered(columns, "x", True) == [0, 3, 2, 1, 4]


def test_a_sweep_that_has_not_begun_has_a_table_of_waiting_jobs(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep(states=[PENDING, PENDING])
    assert "2 of 2 jobs have not ended" in runyard("results").stdout
