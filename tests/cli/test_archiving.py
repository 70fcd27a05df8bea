from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import MakeSweep, Runyard

from runyard.base import State, SweepState
from runyard.cli.archiving import size

A, B = "20260131T120000Z-aaaaaaa", "20260201T120000Z-bbbbbbb"
DONE = (State.COMPLETED,) * 2


def test_a_named_sweep_is_archived_and_restored(make_sweep: MakeSweep, runyard: Runyard):
    found = make_sweep(A, DONE)
    result = runyard("archive", A)
    assert result.exit_code == 0 and "archived 1 sweep" in result.stdout
    assert not found.exists() and A in runyard("ls", "--root", "multirun-archive").stdout
    assert A not in runyard("ls").stdout
    result = runyard("restore", A[:12])
    assert result.stdout == f"restored {A} to multirun/mnist/{A}\n" and found.is_dir()


def test_restore_says_what_is_lost(make_sweep: MakeSweep, runyard: Runyard):
    make_sweep(A, DONE)
    runyard("archive", A, "--drop", "output.log")
    result = runyard("restore", A)
    assert "without 2 files" in result.stdout and "  0/output.log" in result.stdout


def test_those_that_fit_are_archived_and_those_that_are_kept_are_said(make_sweep: MakeSweep, runyard: Runyard):
    make_sweep(A, DONE)
    make_sweep(B, DONE, tags=("keep",))
    result = runyard("archive", "--status", "all")
    assert f"spared: {B} is tagged 'keep'" in result.stdout and "archived 1 sweep" in result.stdout
    assert not Path("multirun/mnist", A).exists() and Path("multirun/mnist", B).exists()
    assert runyard("archive", "--older-than", "1d").stdout.splitlines()[-1] == "nothing to archive"


def test_a_dry_run_moves_nothing(make_sweep: MakeSweep, runyard: Runyard):
    found = make_sweep(A, DONE)
    result = runyard("archive", "--status", "success", "--dry-run")
    assert "would archive 1 sweep" in result.stdout and found.is_dir()
    (facts,) = json.loads(runyard("archive", A, "--dry-run", "--json").stdout)
    assert (facts["sweep_id"], facts["status"], facts["done"]) == (A, "success", False)


def test_nothing_moves_when_one_that_is_named_runs(make_sweep: MakeSweep, runyard: Runyard):
    first = make_sweep(A, DONE)
    make_sweep(B, DONE, state=SweepState.RUNNING, controller={"pid": 1, "host": "elsewhere", "since": "2026"})
    result = runyard("archive", A, B)
    assert result.exit_code == 2 and "is running and cannot be archived" in result.stderr
    assert first.is_dir()


def test_one_that_runs_is_spared_where_none_is_named(make_sweep: MakeSweep, runyard: Runyard):
    make_sweep(B, DONE, state=SweepState.RUNNING, controller={"pid": 1, "host": "elsewhere", "since": "2026"})
    result = runyard("archive", "--status", "active")
    assert f"spared: {B} is at work: process 1 on elsewhere" in result.stdout
    assert Path("multirun/mnist", B).is_dir()


def test_archive_wants_names_or_filters_and_not_both(make_sweep: MakeSweep, runyard: Runyard):
    make_sweep(A, DONE)
    assert "which sweeps?" in runyard("archive").stderr
    assert "either name sweeps" in runyard("archive", A, "--status", "all").stderr


def test_the_best_are_spared(make_sweep: MakeSweep, runyard: Runyard):
    make_sweep(A, DONE)
    make_sweep(B, (State.COMPLETED, State.FAILED))
    result = runyard("archive", "--keep-best", "1", "--metric", "acc")
    assert f"spared: {A} is kept: acc = 0.6" in result.stdout
    assert Path("multirun/mnist", A).is_dir() and not Path("multirun/mnist", B).exists()


def test_rm_asks_and_says_how_much(make_sweep: MakeSweep, runyard: Runyard, monkeypatch):
    found = make_sweep(A, DONE)
    result = runyard("rm", A)  # no answer
    assert result.exit_code == 1 and "for good?" in result.output and found.is_dir()
    result = runyard("rm", A, "--yes")
    assert result.exit_code == 0 and "freed" in result.stdout and not found.exists()


def test_rm_takes_the_files_of_one_job(make_sweep: MakeSweep, runyard: Runyard):
    found = make_sweep(A, DONE)
    assert runyard("rm", f"{A}/0", "--dry-run").exit_code == 0 and (found / "0").is_dir()
    assert runyard("rm", f"{A}/0", "-y").exit_code == 0
    assert not (found / "0").exists() and (found / "1").is_dir()


def test_rm_leaves_what_is_kept_and_its_exit_code_tells(make_sweep: MakeSweep, runyard: Runyard):
    kept, gone = make_sweep(A, DONE, tags=("keep",)), make_sweep(B, DONE)
    result = runyard("rm", A, B, "-y")
    assert result.exit_code == 1 and "stays: is tagged 'keep'" in result.stdout
    assert kept.is_dir() and not gone.exists()
    (facts,) = json.loads(runyard("rm", A, "--dry-run", "--json").stdout)
    assert facts["refused"] == "is tagged 'keep'" and facts["deleted"] is False


def test_rm_looks_for_references_in_the_archive_too(make_sweep: MakeSweep, runyard: Runyard):
    found = make_sweep(A, DONE)
    other = make_sweep(B, DONE)
    (other / "best").symlink_to(found / "0")
    runyard("archive", B)
    result = runyard("rm", A, "-y")
    assert result.exit_code == 1 and "the link" in result.stdout and found.is_dir()


def test_sizes_are_read_easily():
    assert [size(n) for n in (0, 999, 1000, 1_250_000, 3_000_000_000)] == ["0 B", "999 B", "1.0 kB", "1.2 MB", "3.0 GB"]
