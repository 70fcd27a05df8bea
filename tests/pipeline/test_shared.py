from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from runyard import shared
from runyard.base import UsageError
from runyard.testing import active_run

from .conftest import Start


def _compute(text: str = "x") -> Any:
    def compute(folder: Path) -> None:
        with (folder / "result").open("a") as file:
            file.write(text)

    return compute


def _left_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if not p.name.endswith(".lock"))


def test_the_first_job_computes_and_the_others_find_it(tmp_path: Path) -> None:
    with active_run(tmp_path, job=4):
        first = shared("lp", {"day": 1}, _compute())
    with active_run(tmp_path, job=5):
        assert shared("lp", {"day": 1}, _compute("again")) == first
    assert (first / "result").read_text() == "x"
    assert json.loads((first / "shared.json").read_text()) == {"key": {"day": 1}, "job": 4, "attempt": 1}
    assert _left_in(tmp_path / "shared" / "lp") == [first.name]


def test_each_key_and_each_name_has_a_result_of_its_own(tmp_path: Path) -> None:
    with active_run(tmp_path):
        folders = {
            shared("lp", {"day": 1}, _compute()),
            shared("lp", {"day": 2}, _compute()),
            shared("lp", {"day": "1"}, _compute()),
            shared("other", {"day": 1}, _compute()),
        }
    assert len(folders) == 4


def test_the_order_of_a_keys_parts_does_not_matter(tmp_path: Path) -> None:
    with active_run(tmp_path):
        assert shared("lp", {"a": 1, "b": 2}, _compute()) == shared("lp", {"b": 2, "a": 1}, _compute())


@pytest.mark.parametrize("key", [{"file": Path("a/b")}, {"x": float("nan")}, {"x": (1, b"y")}])
def test_a_key_may_hold_whatever_canonical_json_knows(tmp_path: Path, key: Any) -> None:
    with active_run(tmp_path):
        folder = shared("lp", key, _compute())
        assert shared("lp", key, _compute("again")) == folder
    assert (folder / "result").read_text() == "x"


def test_a_key_that_json_cannot_carry_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    with active_run(tmp_path), pytest.raises(TypeError):
        shared("lp", {"x": object()}, _compute())
    assert not (tmp_path / "shared").exists()


def test_a_failure_leaves_nothing_and_the_next_one_computes(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "result").write_text("half")
        raise ValueError("no")

    with active_run(tmp_path):
        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                shared("lp", {}, fail)
            assert _left_in(tmp_path / "shared" / "lp") == []
        folder = shared("lp", {}, _compute())
    assert _left_in(folder) == ["result", "shared.json"]


def test_a_folder_without_its_mark_is_a_leftover_and_computed_anew(tmp_path: Path) -> None:
    with active_run(tmp_path):
        folder = shared("lp", {}, _compute())
        (folder / "shared.json").unlink()
        (folder / "half").touch()
        assert shared("lp", {}, _compute()) == folder
    assert _left_in(folder) == ["result", "shared.json"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "_", "x.y"])
def test_a_name_that_cannot_be_a_folders_is_refused(tmp_path: Path, name: str) -> None:
    with active_run(tmp_path), pytest.raises(UsageError, match="cannot be named"):
        shared(name, {}, _compute())


def test_without_a_run_it_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="no run is active"):
        shared("lp", {}, _compute())


def test_of_many_processes_at_once_one_computes_for_all(tmp_path: Path, start: Start) -> None:
    code = """
        def compute(result):
            with (folder / "computed").open("a") as file:
                file.write("x")
            time.sleep(0.2)
            (result / "result").write_text("whole")
        with active_run(folder, job=int(sys.argv[2])):
            print("ready", flush=True)
            sys.stdin.read()
            print((shared("lp", {"day": 1}, compute) / "result").read_text())
    """
    processes = [start(code, str(job)) for job in range(6)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.read() == "whole\n"
        assert process.wait() == 0
    assert (tmp_path / "computed").read_text() == "x"


def test_when_the_one_that_computes_is_killed_the_next_takes_over(tmp_path: Path, start: Start) -> None:
    first = start("""
        def compute(result):
            (result / "result").write_text("half")
            print("computing", flush=True)
            sys.stdin.read()
        with active_run(folder):
            shared("lp", {"day": 1}, compute)
    """)
    assert first.stdout is not None
    assert first.stdout.readline() == "computing\n"
    second = start("""
        def compute(result):
            (result / "result").write_text("whole")
        print("asking", flush=True)
        with active_run(folder):
            print((shared("lp", {"day": 1}, compute) / "result").read_text())
    """)
    assert second.stdout is not None
    assert second.stdout.readline() == "asking\n"
    assert not list((tmp_path / "shared" / "lp").glob("*/shared.json"))
    os.kill(first.pid, signal.SIGKILL)
    assert second.stdout.readline() == "whole\n"
    assert second.wait() == 0
    (left,) = _left_in(tmp_path / "shared" / "lp")  # the draft of the one that was killed is gone
    assert _left_in(tmp_path / "shared" / "lp" / left) == ["result", "shared.json"]


def test_a_result_may_need_another_one(tmp_path: Path) -> None:
    def outer(folder: Path) -> None:
        inner = shared("inner", {}, _compute("inner"))
        (folder / "result").write_text((inner / "result").read_text() + " in outer")

    with active_run(tmp_path):
        assert (shared("outer", {}, outer) / "result").read_text() == "inner in outer"
