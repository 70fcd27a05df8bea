from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runyard.base import RecordError, State
from runyard.record import Attempt, ErrorInfo, RunRecord, StageInfo, read_run, write_run

ATTEMPT = Attempt(n=1, state=State.RUNNING, started_at="2026-01-31T12:00:00.000Z", host="node1", pid=77)


def _record(folder: Path, **changes: Any) -> RunRecord:
    record = RunRecord(
        sweep_id="20260131T120000Z-abc",
        job=3,
        run_key="1-abc",
        state=State.COMPLETED,
        overrides=("lr=0.1", "+note='a, b'"),
        params={"lr": 0.1},
        run_dir=str(folder),
        metrics={"acc": 0.5, "steps": 3, "loss": math.inf},
        stages={"train": StageInfo(state=State.COMPLETED, seconds=1.5, metrics={"x": -math.inf})},
        attempts=(replace(ATTEMPT, state=State.FAILED, error=ErrorInfo(type="ValueError", message="no")),),
        seconds=2.5,
        resources={"cpus": 1},
        provenance={"git": {"sha": None}},
    )
    return replace(record, **changes)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_run(_record(tmp_path))
    assert read_run(tmp_path) == _record(tmp_path)


def test_the_file_holds_what_other_tools_expect(tmp_path: Path) -> None:
    write_run(_record(tmp_path))
    value = json.loads((tmp_path / "run.json").read_text())
    assert list(value) == [
        *("schema", "sweep_id", "job", "run_key", "state", "overrides", "params", "metrics", "stages", "attempts"),
        *("seconds", "resources", "provenance", "reused", "run_dir"),
    ]
    assert (value["schema"], value["state"], value["metrics"]["loss"]) == (1, "COMPLETED", "Infinity")
    assert value["stages"] == {"train": {"state": "COMPLETED", "seconds": 1.5, "metrics": {"x": "-Infinity"}}}
    assert set(value["attempts"][0]) == {
        *("n", "state", "started_at", "ended_at", "seconds", "host", "pid", "exit_code", "signal", "error"),
    }
    assert value["attempts"][0]["error"] == {"type": "ValueError", "message": "no", "traceback": None}


def test_a_run_that_was_moved_is_where_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    write_run(_record(tmp_path / "old"))
    shutil.move(tmp_path / "old", tmp_path / "new")
    found = read_run(tmp_path / "new")
    assert found is not None
    assert found.run_dir == str(tmp_path / "new")


@pytest.mark.parametrize("where", [".", "missing", "file"])
def test_where_there_is_no_record_there_is_none(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("")
    assert read_run(tmp_path / where) is None


def _without(key: str) -> Any:
    return lambda value: {k: v for k, v in value.items() if k != key}


def _with(**changes: Any) -> Any:
    return lambda value: {**value, **changes}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_with(schema=2), "schema 2; this version reads 1"),
        (_with(schema="1"), "schema '1'"),
        (_without("schema"), "KeyError: 'schema'"),
        (_without("attempts"), "KeyError: 'attempts'"),
        (_with(state="DONE"), "ValueError"),
        (_with(job="x"), "ValueError"),
        (_with(job=None), "TypeError"),
        (_with(attempts=[{}]), "KeyError"),
        (_with(attempts=[{"state": "FAILED"}]), "TypeError"),
        (_with(attempts=3), "TypeError"),
        (_with(stages=[1]), "AttributeError"),
        (_with(metrics=None), "AttributeError"),
        (lambda value: [value], "TypeError"),
        (lambda value: None, "TypeError"),
        (lambda value: 3, "TypeError"),
    ],
)
def test_a_file_that_is_no_record_says_what_is_wrong(tmp_path: Path, change: Any, problem: str) -> None:
    value = json.loads(json.dumps(_record(tmp_path, metrics={}, stages={}).to_json()))
    (tmp_path / "run.json").write_text(json.dumps(change(value)))
    with pytest.raises(RecordError) as caught:
        read_run(tmp_path)
    assert problem in caught.value.problem
    assert caught.value.path == tmp_path / "run.json"


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_half_a_file_is_an_error_and_not_half_a_record(tmp_path: Path, share: float) -> None:
    write_run(_record(tmp_path))
    text = (tmp_path / "run.json").read_text().rstrip()
    (tmp_path / "run.json").write_text(text[: int(len(text) * share)])
    with pytest.raises(RecordError, match="not JSON"):
        read_run(tmp_path)


def test_fields_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    value = _record(tmp_path).to_json()
    value["mood"] = "good"
    value["attempts"][0]["node"] = 3
    (tmp_path / "run.json").write_text(json.dumps(value))
    assert read_run(tmp_path) == _record(tmp_path)


@pytest.mark.parametrize(
    ("before", "n", "after"),
    [((), 1, (1,)), ((1,), 1, (1,)), ((1,), 2, (1, 2)), ((1, 2), 1, (1, 2)), ((2,), 1, (1, 2))],
)
def test_an_attempt_takes_its_place_among_the_others(before: tuple[int, ...], n: int, after: tuple[int, ...]) -> None:
    record = _record(Path("x"), attempts=tuple(replace(ATTEMPT, n=i) for i in before))
    new = replace(ATTEMPT, n=n, state=State.TIMEOUT, seconds=9.0)
    record = record.with_attempt(new, metrics={"a": 1})
    assert tuple(a.n for a in record.attempts) == after
    assert record.attempts[after.index(n)] == new
    assert (record.state, record.seconds, record.metrics) == (State.TIMEOUT, 9.0, {"a": 1})
