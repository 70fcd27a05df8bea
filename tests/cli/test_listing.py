from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path

import pytest

from runyard.base import State, SweepState
from runyard.record import ControllerLock, RootPaths, SweepPaths
from runyard.registry import Registry

from .conftest import MakeSweep, Runyard


@pytest.fixture
def three(make_sweep: MakeSweep) -> None:
    make_sweep("20260101T000000Z-aaa", created_at="2026-01-01T00:00:00.000Z", note="the first")
    make_sweep("20260102T000000Z-bbb", [State.COMPLETED] * 2, created_at="2026-01-02T00:00:00.000Z", experiment="cifar")
    make_sweep("20260103T000000Z-ccc", created_at="2026-01-03T00:00:00.000Z", note="two\nlines")


def ids(result: object) -> list[str]:
    return [row["sweep_id"][-3:] for row in json.loads(result.stdout)]  # type: ignore[attr-defined]


def test_sweeps_are_listed_newest_first_in_aligned_columns(runyard: Runyard, three: None) -> None:
    lines = runyard("ls").stdout.splitlines()
    assert lines[0].split() == ["EXPERIMENT", "ID", "STATE", "JOBS", "AGE", "NOTE"]
    assert [line.split()[1][-3:] for line in lines[1:]] == ["ccc", "bbb", "aaa"]
    assert lines[1].endswith("two lines")
    assert "2/3, 1 failed" in lines[1]
    assert "2/2" in lines[2]
    assert len({line.index("20260") for line in lines[1:]}) == 1
    assert "\x1b" not in "".join(lines)


def test_the_json_list_has_the_promised_keys(runyard: Runyard, three: None) -> None:
    row = json.loads(runyard("ls", "--json").stdout)[0]
    assert row["counts"] == {"COMPLETED": 2, "FAILED": 1}
    assert {"sweep_id", "state", "counts", "experiment", "note", "tags", "path", "created_at"} <= set(row)


def test_the_list_can_be_narrowed(runyard: Runyard, three: None) -> None:
    assert ids(runyard("ls", "--json", "--experiment", "mnist")) == ["ccc", "aaa"]
    assert ids(runyard("ls", "--json", "--state", "completed")) == ["bbb"]
    assert ids(runyard("ls", "--json", "--state", "FAILED", "--limit", "1")) == ["ccc"]
    assert ids(runyard("ls", "--json", "--state", "FAILED", "--state", "COMPLETED", "-n", "2")) == ["ccc", "bbb"]


def test_an_unknown_experiment_is_answered_with_the_known(runyard: Runyard, three: None) -> None:
    result = runyard("ls", "--experiment", "mnits")
    assert result.exit_code == 2
    assert "did you mean 'mnist'? Known: cifar, mnist" in result.stderr


def test_nothing_to_list_is_no_error(runyard: Runyard, make_sweep: MakeSweep) -> None:
    result = runyard("ls")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "+runyard=local" in result.stderr
    assert json.loads(runyard("ls", "--json").stdout) == []
    make_sweep()
    result = runyard("ls", "--state", "CANCELLED")
    assert (result.exit_code, result.stdout) == (0, "")


def test_single_runs_are_marked(runyard: Runyard, make_sweep: MakeSweep, project: Path) -> None:
    make_sweep("x", [], directory=project / "outputs" / "job" / "x", single=True, counts={"COMPLETED": 1})
    assert "single" in runyard("ls").stdout


def test_other_roots_can_be_named(runyard: Runyard, make_sweep: MakeSweep, project: Path) -> None:
    make_sweep("20260101T000000Z-aaa", directory=project / "a" / "e" / "s", created_at="2026-01-01T00:00:00.000Z")
    make_sweep("20260102T000000Z-bbb", directory=project / "b" / "e" / "s", created_at="2026-01-02T00:00:00.000Z")
    assert ids(runyard("ls", "--json", "--root", "a", "--root", project / "b")) == ["bbb", "aaa"]
    assert json.loads(runyard("ls", "--json").stdout) == []


def test_after_the_registry_is_deleted_and_made_again_the_list_is_as_before(
    runyard: Runyard, three: None, project: Path
) -> None:
    runyard("reindex")
    before = runyard("ls", "--json").stdout
    RootPaths(project / "multirun").registry.unlink()
    assert runyard("reindex").stdout == "multirun: 3 sweeps\n"
    assert runyard("ls", "--json").stdout == before


@pytest.mark.parametrize(
    ("spoil", "word"), [(Path.unlink, "missing"), (lambda p: p.write_bytes(b"no database" * 99), "damaged")]
)
def test_a_registry_that_cannot_be_used_is_made_again_and_this_is_said(
    spoil: object, word: str, runyard: Runyard, three: None, project: Path
) -> None:
    runyard("reindex")
    before = runyard("ls", "--json").stdout
    spoil(RootPaths(project / "multirun").registry)  # type: ignore[operator]
    result = runyard("ls", "--json")
    assert result.stdout == before
    assert result.stderr == f"the registry of multirun is {word}: making it again from the files\n  3 sweeps\n"
    assert len(Registry(project / "multirun").rows()) == 3
    assert runyard("ls", "--json").stderr == ""


def test_a_place_without_a_registry_is_listed_and_left_as_it_is(runyard: Runyard, three: None, project: Path) -> None:
    assert len(ids(runyard("ls", "--json"))) == 3
    assert not (project / "multirun" / ".runyard").exists()


def test_where_no_registry_can_be_made_the_files_are_read(runyard: Runyard, three: None, project: Path) -> None:
    RootPaths(project / "multirun").registry.mkdir(parents=True)
    result = runyard("ls", "--json")
    assert len(ids(result)) == 3
    assert "reading the files instead" in result.stderr


def test_a_sweep_whose_controller_is_gone_is_lost_and_the_way_on_is_told(
    runyard: Runyard, make_sweep: MakeSweep
) -> None:
    gone = {"pid": 2**22 + 1, "host": socket.gethostname(), "since": "2026-01-31T12:00:00.000Z"}
    sweep_dir = make_sweep(states=[State.COMPLETED, State.PENDING], state=SweepState.RUNNING, controller=gone)
    SweepPaths(sweep_dir).lock.touch()
    assert [row["state"] for row in json.loads(runyard("ls", "--json").stdout)] == ["LOST"]
    assert ids(runyard("ls", "--json", "--state", "lost")) == ["234"]
    assert runyard("ls").stdout.splitlines()[-1].endswith("to go on: runyard resume 20260131T120000Z-abc1234")


def test_a_sweep_whose_controller_lives_is_running(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep(states=[State.COMPLETED, State.PENDING], state=SweepState.RUNNING, counts={})
    lock_path = SweepPaths(sweep_dir).lock
    child = os.fork()
    if child == 0:  # the lock is another process's, as it is in life
        lock = ControllerLock(lock_path)
        lock.acquire()
        time.sleep(60)
        os._exit(0)
    try:
        while not lock_path.exists() or not lock_path.read_text():
            pass
        [row] = json.loads(runyard("ls", "--json").stdout)
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert (row["state"], row["counts"]) == ("RUNNING", {"PENDING": 1, "COMPLETED": 1})
