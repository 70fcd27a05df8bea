from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runyard.base import State
from runyard.cli.entry import Commands
from runyard.cli.querying import query
from runyard.record import RootPaths

from .conftest import MakeSweep


class Alone(Commands):
    """The group of commands with this one, under whatever name it is known."""

    def resolve_command(self, ctx: object, args: list[str]) -> tuple[str, object, list[str]]:  # type: ignore[override]
        return "query", query, args


def ask(*words: str | Path) -> Result:
    result = CliRunner().invoke(
        Alone(), ["query", *map(str, words)][1:] or ["--limit", "99"], prog_name="runyard query"
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def two(make_sweep: MakeSweep) -> None:
    make_sweep("20260101T000000Z-aaa", created_at="2026-01-01T00:00:00.000Z")
    make_sweep("20260102T000000Z-bbb", [State.COMPLETED] * 2, created_at="2026-01-02T00:00:00.000Z", experiment="cifar")


def names(result: Result) -> list[str]:
    return [f"{row['sweep_id'][-3:]}/{row['job']}" for row in json.loads(result.stdout)]


def test_runs_of_all_sweeps_are_found_the_newest_sweep_first(two: None) -> None:
    assert names(ask("metrics.acc >= 0.5", "--json")) == ["bbb/0", "bbb/1", "aaa/0", "aaa/2"]
    assert names(ask("metrics.acc > 0.55 and params.model.lr == 0.2", "--json")) == ["aaa/2"]
    assert names(ask("experiment == 'cifar' or state == failed".replace("failed", "'failed'"), "--json")) == [
        "bbb/0",
        "bbb/1",
        "aaa/1",
    ]


def test_a_run_without_the_metric_is_not_found_and_never_zero(two: None) -> None:
    assert names(ask("metrics.acc < 1", "--json")) == names(ask("state == 'COMPLETED'", "--json"))
    assert names(ask("metrics.acc is null", "--json")) == ["aaa/1"]


def test_runs_can_be_ordered_and_cut(two: None) -> None:
    assert names(ask("metrics.acc > 0", "--json", "--sort", "-metrics.acc")) == ["aaa/2", "bbb/1", "bbb/0", "aaa/0"]
    assert names(ask("job >= 0", "--json", "--sort", "metrics.acc"))[-1] == "aaa/1", "what lacks it comes last"
    assert names(ask("job >= 0", "--json", "--limit", "2")) == ["bbb/0", "bbb/1"]


def test_columns_can_be_chosen(two: None) -> None:
    chosen = ask("job == 0", "--columns", "job,params.model.lr,metrics.acc", "--json")
    assert json.loads(chosen.stdout) == [{"job": 0, "params.model.lr": 0.0, "metrics.acc": 0.5}] * 2
    lines = ask("job == 0", "--columns", "job,state,tags").stdout.splitlines()
    assert lines[0].split() == ["JOB", "STATE", "TAGS"]
    assert lines[1].split() == ["0", "COMPLETED", "first;second"]


def test_csv_has_all_that_is_known_and_nothing_for_what_is_missing(two: None) -> None:
    rows = list(csv.DictReader(io.StringIO(ask("experiment == 'mnist'", "--csv").stdout)))
    assert [row["job"] for row in rows] == ["0", "1", "2"]
    assert (rows[0]["metrics.acc"], rows[0]["metrics.loss"], rows[1]["metrics.acc"]) == ("0.5", "NaN", "")
    assert (rows[0]["tags"], rows[0]["params.seed"]) == ("first;second", "1")


def test_the_table_shows_what_was_asked_for(two: None) -> None:
    lines = ask("metrics.acc > 0.55").stdout.splitlines()
    assert lines[0].split()[:4] == ["RUN", "EXPERIMENT", "STATE", "metrics.acc"]
    assert lines[1].split()[:4] == ["20260102T000000Z-bbb/1", "cifar", "COMPLETED", "0.6"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["metrics.ac > 1"], "did you mean 'metrics.acc'?"),
        (["params.lr > 1"], "did you mean 'params.model.lr'?"),
        (["job == 0", "--sort", "metrics.ac"], "did you mean 'metrics.acc'?"),
        (["job == 0", "--columns", "job,metrics.ac"], "did you mean 'metrics.acc'?"),
        (["state == 'DONE'"], "unknown state 'DONE'"),
        (["job =="], "is not an expression"),
        (["__import__('os')"], "is not an expression"),
        (["job == 0", "--csv", "--json"], "exclude each other"),
    ],
)
def test_wrong_words_are_answered_with_right_ones(words: list[str], said: str, two: None) -> None:
    result = ask(*words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_nothing_found_is_no_error(two: None) -> None:
    result = ask("metrics.acc > 99")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no run below" in result.stderr
    assert json.loads(ask("metrics.acc > 99", "--json").stdout) == []


def test_a_place_without_a_registry_is_asked_and_left_as_it_is(two: None, project: Path) -> None:
    assert len(names(ask("metrics.acc > 0", "--json"))) == 4
    assert not RootPaths(project / "multirun").registry.parent.exists()


def test_what_changed_since_the_registry_was_made_is_seen(two: None, make_sweep: MakeSweep, project: Path) -> None:
    RootPaths(project / "multirun").registry.parent.mkdir()
    assert len(names(ask("metrics.acc > 0", "--json"))) == 4
    make_sweep("20260103T000000Z-ccc", created_at="2026-01-03T00:00:00.000Z")
    assert names(ask("metrics.acc > 0", "--json"))[0] == "ccc/0"
