from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from runyard.base import State, SweepState
from runyard.cli.checks import (
    OK,
    PROBLEM,
    WARNING,
    check_files,
    check_git,
    check_hydra,
    check_registry,
    check_stale,
    check_sweeps,
)
from runyard.record import RootPaths, SweepPaths
from runyard.registry import Registry

from .conftest import MakeSweep, Runyard


@pytest.fixture
def root(project: Path) -> Path:
    (project / "multirun").mkdir()
    return project / "multirun"


def test_a_healthy_place_has_no_problem(runyard: Runyard, make_sweep: MakeSweep, root: Path) -> None:
    make_sweep()
    runyard("reindex")
    result = runyard("doctor")
    assert result.exit_code == 0
    assert "ok       multirun: registry: equals the files, 1 sweep\n" in result.stdout
    assert "ok       hydra: 1." in result.stdout
    assert "ok       outputs: is not there yet" in result.stdout
    checks = json.loads(runyard("doctor", "--json").stdout)
    assert {"check", "level", "found", "todo"} == set(checks[0])
    assert not list(root.glob(".doctor-*")), "the scratch folder is taken away"


def test_a_problem_is_told_with_what_to_do_and_ends_with_one(
    runyard: Runyard, make_sweep: MakeSweep, root: Path
) -> None:
    make_sweep()
    SweepPaths(make_sweep("bad")).sweep_json.write_text("{")
    result = runyard("doctor")
    assert result.exit_code == 1
    assert "problem  multirun: record:" in result.stdout
    assert "to do  put it back from a copy" in result.stdout


def test_hydra_finds_the_plugins_in_a_process_of_its_own() -> None:
    check = check_hydra()
    assert (check.level, check.todo) == (OK, "")


def test_an_interpreter_without_hydra_is_a_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "hydra.py").write_text("raise ImportError('broken on purpose')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    check = check_hydra()
    assert check.level == PROBLEM
    assert "broken on purpose" in check.found


def test_a_place_without_git_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_git(tmp_path).level == WARNING
    monkeypatch.setenv("PATH", str(tmp_path))
    assert check_git(tmp_path).todo == "install git"


def test_a_file_system_that_renames_links_and_locks_is_well(root: Path) -> None:
    check = check_files(root)
    assert check.level == OK
    assert check.found.startswith("renames, links and locks, ")


def test_a_place_that_cannot_be_written_to_is_a_problem(tmp_path: Path) -> None:
    assert check_files(tmp_path / "missing").level == PROBLEM


def forgetful(root: Path) -> None:
    Registry(root).reindex()
    Registry(root).remove("20260131T120000Z-abc1234")


def broken(root: Path) -> None:
    Registry(root).reindex()
    RootPaths(root).registry.write_bytes(b"no database" * 99)


@pytest.mark.parametrize(
    ("spoil", "level", "found"),
    [
        (lambda root: None, WARNING, "missing"),
        (lambda root: Registry(root).reindex(), OK, "equals the files, 1 sweep"),
        (forgetful, WARNING, "sweep 20260131T120000Z-abc1234 is missing"),
        (broken, WARNING, "damaged"),
        (lambda root: RootPaths(root).registry.mkdir(parents=True), WARNING, "missing"),
    ],
)
def test_the_registry_is_compared_with_the_files(
    spoil: object, level: str, found: str, root: Path, make_sweep: MakeSweep
) -> None:
    make_sweep()
    spoil(root)  # type: ignore[operator]
    check = check_registry(root)
    assert check.level == level
    assert found in check.found
    assert level == OK or check.todo == f"runyard reindex --root {root}"


def test_a_root_without_sweeps_needs_no_registry(root: Path) -> None:
    assert check_registry(root).level == OK


def test_a_sweep_whose_controller_died_is_named_with_the_way_on(make_sweep: MakeSweep, root: Path) -> None:
    gone = {"pid": 2**22 + 1, "host": socket.gethostname(), "since": "2026-01-31T12:00:00.000Z"}
    sweep_dir = make_sweep(states=[State.PENDING], state=SweepState.RUNNING, controller=gone)
    SweepPaths(sweep_dir).lock.touch()
    [check] = check_sweeps(Path("multirun"), (Path("multirun"), Path("outputs")))
    assert (check.level, check.todo) == (WARNING, "runyard resume 20260131T120000Z-abc1234")


def test_old_temporary_files_of_ours_are_named_and_no_others(make_sweep: MakeSweep, root: Path) -> None:
    sweep_dir = make_sweep()
    old = [root / "index.csv.77-0123abcd.tmp", sweep_dir / "1" / "run.json.77-0123abcd.tmp"]
    others = [sweep_dir / "1" / "mine.tmp", sweep_dir / "sweep.json.77-0123abcd.tmp"]
    for path in (*old, *others):
        path.touch()
    for path in (*old, others[0]):
        os.utime(path, (1, 1))
    [check] = check_stale(root)
    assert check.found.startswith("2 temporary files")
    assert check.todo == f"remove them: rm {old[0]} {old[1]}"


def test_a_check_is_ok_or_says_what_to_do(runyard: Runyard, make_sweep: MakeSweep, root: Path) -> None:
    make_sweep()
    for check in json.loads(runyard("doctor", "--json").stdout):
        assert check["level"] == OK or check["todo"], check
