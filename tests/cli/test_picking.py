from __future__ import annotations

import json

import pytest

from runyard.base import State

from .conftest import MakeSweep, Runyard
from .test_summarizing import ID, sweep_over_seeds, table_rows


def test_the_best_is_the_highest_mean_and_the_second_is_judged(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_over_seeds(make_sweep)

    lines = runyard("best", "acc").stdout.splitlines()

    assert lines[0] == "highest mean of acc first; averaged over seed"
    assert lines[2].split()[:2] == ["1", "0.5"]
    assert lines[3].split()[-1] == "worse"
    assert lines[-1].startswith("The second is worse (paired t, p = 0.0022")


@pytest.mark.parametrize(("option", "first"), [("--max", "0.5"), ("--min", "0.1")])
def test_what_is_best_can_be_the_lowest(runyard: Runyard, make_sweep: MakeSweep, option: str, first: str) -> None:
    sweep_over_seeds(make_sweep)

    rows = table_rows(runyard("best", ID, "acc", option, "--csv").stdout)

    assert rows[0]["model.lr"] == first


def test_noise_is_called_noise(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_over_seeds(make_sweep)

    done = runyard("best", "acc", "--by", "seed")

    assert done.stdout.splitlines()[-1] == "Within noise: 2 of the 2 others not shown to be worse."


def test_what_cannot_be_told_is_not_told(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep(states=[State.COMPLETED] * 2)

    assert runyard("best", "acc").stdout.splitlines()[-1].startswith("Whether the second is worse cannot be told")


def test_as_many_as_are_asked_for(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_over_seeds(make_sweep)

    whole = json.loads(runyard("best", "acc", "-n", "1", "--json").stdout)

    assert [row["rank"] for row in whole["rows"]] == [1]
    assert whole["mixtures"] == []
    assert runyard("best", "acc", "-n", "1").stdout.splitlines()[-1] == "There is nothing to compare it with."


def test_strict_refuses_to_rank_what_is_mixed(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_over_seeds(make_sweep, sha="fff0000")

    assert runyard("best", "acc").stdout.splitlines()[-1].startswith("mixed (commit)")
    assert runyard("best", "acc", "--strict").exit_code == 2
    assert runyard("pivot", "acc", "-r", "model.lr", "-c", "seed", "--strict").exit_code == 2
    assert runyard("best", "acc", "--strict", "--allow", "commit").exit_code == 0
    assert runyard("pivot", "acc", "-r", "model.lr", "-c", "seed", "--strict", "--allow", "commit").exit_code == 0


def test_a_metric_that_nobody_reported_cannot_be_ranked(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep(states=[State.COMPLETED])

    unknown, empty = runyard("best", "nope"), runyard("best", "loss")

    assert (unknown.exit_code, empty.exit_code) == (2, 2)
    assert "unknown metric 'nope'" in unknown.stderr
    assert "no completed job has a finite value of 'loss'" in empty.stderr


def test_a_pivot_has_a_line_for_each_row_and_a_column_for_each_value(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_over_seeds(make_sweep)

    lines = runyard("pivot", "acc", "--rows", "model.lr", "--columns", "seed").stdout.splitlines()

    assert [line.split() for line in lines[1:4]] == [
        ["model.lr", "1", "2", "3"],
        ["0.1", "0.11", "0.14", "0.19"],
        ["0.5", "0.51", "0.52", "0.53"],
    ]


def test_a_pivot_as_csv_and_as_json(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_over_seeds(make_sweep)

    rows = table_rows(runyard("pivot", "acc", "-r", "lr", "-c", "seed", "--csv").stdout)
    whole = json.loads(runyard("pivot", "acc", "-r", "lr", "-c", "seed", "--json").stdout)

    assert rows[0] == {"model.lr": "0.1", "1": "0.11", "2": "0.14", "3": "0.19"}
    assert whole["rows"][1] == {"model.lr": 0.5, "1": 0.51, "2": 0.52, "3": 0.53}
    assert (whole["metric"], whole["columns"]) == ("acc", ["seed"])


def test_a_pivot_needs_names_that_there_are(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_over_seeds(make_sweep)

    assert runyard("pivot", "acc", "--rows", "lr").exit_code == 2
    assert "unknown swept name 'opt'" in runyard("pivot", "acc", "-r", "lr", "-c", "opt").stderr
