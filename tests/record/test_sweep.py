from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runyard.base import RecordError, SweepState
from runyard.record import SweepRecord, read_sweep, write_sweep

RECORD = SweepRecord(
    sweep_id="20260131T120000Z-abc",
    experiment="mnist",
    state=SweepState.RUNNING,
    command=("python", "train.py", "-m", "lr=0,1"),
    cwd="/home/u",
    overrides=("lr=0,1",),
    launcher="runyard_local",
    created_at="2026-01-31T12:00:00.000Z",
    counts={"PENDING": 2},
    tags=("a", "b"),
    note="grün",
    entry={"kind": "script"},
    controller={"pid": 1},
)


@pytest.mark.parametrize("changes", [{}, {"state": SweepState.COMPLETED, "controller": None, "finished_at": "x"}])
def test_a_record_is_read_as_it_was_written(tmp_path: Path, changes: dict[str, Any]) -> None:
    write_sweep(tmp_path, replace(RECORD, **changes))
    assert read_sweep(tmp_path) == replace(RECORD, **changes)


def test_the_file_holds_what_other_tools_expect(tmp_path: Path) -> None:
    write_sweep(tmp_path, RECORD)
    value = json.loads((tmp_path / "sweep.json").read_text())
    assert {
        *("schema", "sweep_id", "experiment", "state", "command", "cwd", "overrides", "launcher", "created_at"),
        *("finished_at", "counts", "provenance", "tags", "note", "paths"),
    } <= set(value)
    assert (value["schema"], value["state"], value["command"]) == (1, "RUNNING", list(RECORD.command))


def test_fields_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text(json.dumps({**RECORD.to_json(), "mood": "good"}))
    assert read_sweep(tmp_path) == RECORD


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not JSON"),
        ('{"schema": 1', "not JSON"),
        ("{}", "KeyError: 'schema'"),
        ('{"schema": 2}', "schema 2; this version reads 1"),
        ('{"schema": 1}', "KeyError: 'state'"),
        (json.dumps({**RECORD.to_json(), "state": "DONE"}), "ValueError"),
        (json.dumps({**RECORD.to_json(), "tags": None}), "TypeError"),
        ('{"schema": 1, "state": "RUNNING", "command": [], "overrides": [], "tags": []}', "TypeError"),
        ("[]", "TypeError"),
        ("null", "TypeError"),
    ],
)
def test_a_file_that_is_no_record_says_what_is_wrong(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "sweep.json").write_text(text)
    with pytest.raises(RecordError) as caught:
        read_sweep(tmp_path)
    assert problem in caught.value.problem


@pytest.mark.parametrize("where", [".", "missing", "file"])
def test_a_directory_without_a_record_is_not_a_sweep(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="not the directory of a sweep"):
        read_sweep(tmp_path / where)
