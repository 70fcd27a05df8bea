from __future__ import annotations

import json
import math
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from runyard import run_stage, table
from runyard.base import State, UsageError
from runyard.record import read_rows
from runyard.testing import active_run

from .conftest import Start


class _Stage:
    """A stage that counts its runs."""

    def __init__(self, returned: Any) -> None:
        self.returned, self.runs = returned, 0

    def __call__(self, folder: Path) -> Mapping[str, Any] | None:
        self.runs += 1
        assert folder.is_dir()
        if isinstance(self.returned, BaseException):
            raise self.returned
        result: Mapping[str, Any] | None = self.returned
        return result


def _recorded(folder: Path) -> Any:
    return json.loads((folder / "stage.json").read_text())


@pytest.mark.parametrize(
    ("returned", "metrics"),
    [
        ({"acc": 0.5, "eval": {"n": 3}}, {"acc": 0.5, "eval/n": 3}),
        ({"loss": math.inf}, {"loss": math.inf}),
        (None, {}),
        ({}, {}),
        (1.5, {"return_value": 1.5}),
    ],
)
def test_a_stage_that_is_done_is_not_repeated(tmp_path: Path, returned: Any, metrics: dict[str, Any]) -> None:
    stage = _Stage(returned)
    with active_run(tmp_path):
        assert run_stage("train", stage) == metrics
    for attempt in (2, 3):
        with active_run(tmp_path, attempt=attempt) as run:
            assert run_stage("train", stage) == metrics
            assert run.stages["train"].state is State.COMPLETED
    assert stage.runs == 1


def test_each_stage_has_a_folder_and_metrics_of_its_own(tmp_path: Path) -> None:
    with active_run(tmp_path) as run:
        run_stage("train", _Stage({"loss": 1}))
        run_stage("evaluate", _Stage({"acc": 2}))
        assert {n: dict(s.metrics) for n, s in run.stages.items()} == {"train": {"loss": 1}, "evaluate": {"acc": 2}}
        assert all((s.seconds or 0) >= 0 for s in run.stages.values())
    assert _recorded(tmp_path / "train")["metrics"] == {"loss": 1}
    assert _recorded(tmp_path / "evaluate")["state"] == "COMPLETED"


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), KeyboardInterrupt(), MemoryError()])
def test_a_stage_that_fails_is_recorded_and_its_folder_kept(tmp_path: Path, error: BaseException) -> None:
    def train(folder: Path) -> None:
        (folder / "checkpoint").write_text("half")
        raise error

    with active_run(tmp_path) as run:
        with pytest.raises(type(error)):
            run_stage("train", train)
        assert run.stages["train"].state is State.FAILED
        assert run.tables_dir == tmp_path / "tables"
    assert _recorded(tmp_path / "train")["state"] == "FAILED"

    with active_run(tmp_path, attempt=2):
        assert run_stage("train", lambda folder: {"n": len((folder / "checkpoint").read_text())}) == {"n": 4}
    assert _recorded(tmp_path / "train")["state"] == "COMPLETED"


def test_a_stage_is_recorded_as_running_while_it_runs(tmp_path: Path) -> None:
    with active_run(tmp_path):
        run_stage("train", lambda folder: {"running": _recorded(folder)["state"] == "RUNNING"})
    assert _recorded(tmp_path / "train")["metrics"] == {"running": 1}


def test_rows_of_a_stage_that_did_not_end_are_dropped_and_those_of_a_done_one_kept(tmp_path: Path) -> None:
    def train(folder: Path) -> None:
        table("log").append(step=1)

    def evaluate(folder: Path) -> None:
        table("log").append(step=2)
        if not (folder / "again").exists():
            (folder / "again").touch()
            raise ValueError("first time")

    with active_run(tmp_path):
        run_stage("train", train)
        with pytest.raises(ValueError, match="first time"):
            run_stage("evaluate", evaluate)
    with active_run(tmp_path, attempt=2):
        run_stage("train", train)
        run_stage("evaluate", evaluate)
    assert list(read_rows(tmp_path / "train" / "tables" / "log.jsonl")) == [{"step": 1}]
    assert list(read_rows(tmp_path / "evaluate" / "tables" / "log.jsonl")) == [{"step": 2}]


def test_a_stage_inside_a_stage_gets_its_own_rows(tmp_path: Path) -> None:
    def inner(folder: Path) -> None:
        table("t").append(where="inner")

    def outer(folder: Path) -> None:
        table("t").append(where="before")
        run_stage("inner", inner)
        table("t").append(where="after")

    with active_run(tmp_path):
        run_stage("outer", outer)
    assert [r["where"] for r in read_rows(tmp_path / "outer" / "tables" / "t.jsonl")] == ["before", "after"]
    assert [r["where"] for r in read_rows(tmp_path / "inner" / "tables" / "t.jsonl")] == ["inner"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"state": "COMPL',
        b"\x00\x00",
        b"[]",
        b"null",
        b'{"state": "COMPLETED"}',
        b'{"state": "DONE", "metrics": {}}',
        b'{"state": "COMPLETED", "metrics": [1]}',
        b'{"state": "RUNNING", "seconds": null, "metrics": {}}',
        b'{"state": "FAILED", "seconds": 1, "metrics": {}}',
    ],
)
def test_a_record_that_does_not_say_that_it_is_done_makes_the_stage_run(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "stage.json").write_bytes(content)
    stage = _Stage({"acc": 1})
    with active_run(tmp_path):
        assert run_stage("train", stage) == {"acc": 1}
    assert stage.runs == 1


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "tables", "shared", ".hydra", "a b", "-", "__", "run.json"])
def test_a_name_that_cannot_be_a_folders_is_refused(tmp_path: Path, name: str) -> None:
    stage = _Stage({})
    with active_run(tmp_path), pytest.raises(UsageError, match="cannot be named"):
        run_stage(name, stage)
    assert stage.runs == 0


def test_without_a_run_a_stage_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="no run is active"):
        run_stage("train", _Stage({}))


def test_a_stage_that_is_killed_runs_again_and_finds_its_checkpoint(tmp_path: Path, start: Start) -> None:
    code = """
        def train(stage):
            (stage / "checkpoint").write_text("7")
            table("log").append(step=1)
            os.kill(os.getpid(), signal.SIGKILL)
        with active_run(folder):
            run_stage("train", train)
    """
    assert start(code).wait() == -signal.SIGKILL
    assert _recorded(tmp_path / "train")["state"] == "RUNNING"
    with active_run(tmp_path, attempt=2):
        metrics = run_stage("train", lambda folder: {"n": int((folder / "checkpoint").read_text())})
    assert metrics == {"n": 7}
    assert not (tmp_path / "train" / "tables").exists()
