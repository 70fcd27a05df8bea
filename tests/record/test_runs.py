from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runyard.base import State
from runyard.record import (
    Attempt,
    Journal,
    PlanRow,
    RunRecord,
    SweepPaths,
    count_states,
    find_run_dirs,
    is_alive,
    read_runs,
    replay,
    with_provenance,
    write_plan,
    write_run,
)


def _record(sweep_dir: Path, job: int, state: State, attempt: int = 1, note: str = "") -> RunRecord:
    last = Attempt(n=attempt, state=state, started_at="2026-01-31T12:00:00.000Z", host="node1", pid=77)
    return RunRecord(
        sweep_id=sweep_dir.name,
        job=job,
        run_key=f"1-{job}",
        state=state,
        overrides=(f"lr={job}",),
        params={"lr": job},
        run_dir=str(sweep_dir / str(job)),
        metrics={"from": note},
        attempts=(last,) if attempt else (),
        provenance={"git": "sha"},
    )


def _plan(sweep_dir: Path, jobs: int) -> None:
    rows = [PlanRow(job=i, run_key=f"1-{i}", run_dir=str(i), values={"lr": str(i)}) for i in range(jobs)]
    write_plan(SweepPaths(sweep_dir).plan_csv, rows, ["lr"])


def _on_disk(record: RunRecord) -> None:
    Path(record.run_dir).mkdir(parents=True, exist_ok=True)
    write_run(record)


def _journalled(sweep_dir: Path, *records: RunRecord) -> None:
    with Journal(SweepPaths(sweep_dir).journal) as journal:
        for record in records:
            journal.append("ended", job=record.job, run=replace(record, provenance={}).to_json())


def test_a_job_that_has_not_run_is_pending(tmp_path: Path) -> None:
    _plan(tmp_path, 2)
    runs = read_runs(tmp_path)
    assert [(r.job, r.state, r.params, r.attempts) for r in runs] == [
        (0, State.PENDING, {"lr": "0"}, ()),
        (1, State.PENDING, {"lr": "1"}, ()),
    ]
    assert runs[1].run_dir == str(tmp_path / "1")


Maker = Callable[[Path], RunRecord]


def _made(state: State, attempt: int, note: str) -> Maker:
    return lambda folder: _record(folder, 0, state, attempt, note)


RUNNING, FAILED, DONE = State.RUNNING, State.FAILED, State.COMPLETED


@pytest.mark.parametrize(
    ("disk", "journal", "wins"),
    [
        ((DONE, 1), None, "disk"),
        (None, (DONE, 1), "journal"),
        ((RUNNING, 1), (FAILED, 1), "journal"),
        ((DONE, 1), (DONE, 1), "journal"),
        ((RUNNING, 2), (FAILED, 1), "disk"),
        ((DONE, 2), (FAILED, 1), "disk"),
        ((FAILED, 1), (DONE, 2), "journal"),
        ((RUNNING, 1), (DONE, 2), "journal"),
        ((State.PENDING, 0), (DONE, 1), "journal"),
    ],
)
def test_of_two_records_the_one_that_knows_more_is_taken(tmp_path: Path, disk: Any, journal: Any, wins: str) -> None:
    _plan(tmp_path, 1)
    if disk is not None:
        _on_disk(_made(*disk, "disk")(tmp_path))
    if journal is not None:
        _journalled(tmp_path, _made(*journal, "journal")(tmp_path))
    (run,) = read_runs(tmp_path)
    assert run.metrics == {"from": wins}
    is_settled = journal is not None and journal[0] is DONE  # then nobody looks at the file
    assert run.provenance == ({} if disk is None or is_settled else {"git": "sha"})
    assert with_provenance(run).provenance == ({} if disk is None else {"git": "sha"})
    assert run.run_dir == str(tmp_path / "0")


@pytest.mark.parametrize("content", [b"", b'{"schema": 1, "jo', b"\x00" * 100, b"[]", b'{"schema": 9}'])
def test_a_damaged_record_is_replaced_by_the_journals(tmp_path: Path, content: bytes) -> None:
    _plan(tmp_path, 2)
    for job in (0, 1):
        (tmp_path / str(job)).mkdir()
        (tmp_path / str(job) / "run.json").write_bytes(content)
    _journalled(tmp_path, _record(tmp_path, 0, DONE))
    assert [r.state for r in read_runs(tmp_path)] == [DONE, State.PENDING]


@pytest.mark.parametrize("run", [None, 3, [], {}, {"state": "DONE"}])
def test_a_journal_whose_record_is_none_does_no_harm(tmp_path: Path, run: Any) -> None:
    _plan(tmp_path, 1)
    with Journal(SweepPaths(tmp_path).journal) as journal:
        journal.append("ended", job=0, run=run)
    assert [r.state for r in read_runs(tmp_path)] == [State.PENDING]


@pytest.mark.parametrize("plan", [None, "nonsense\n1\n"])
def test_without_a_plan_the_runs_on_disk_and_in_the_journal_count(tmp_path: Path, plan: str | None) -> None:
    if plan is not None:
        (tmp_path / "plan.csv").write_text(plan)
    for job in (10, 2):
        _on_disk(_record(tmp_path, job, DONE))
    _journalled(tmp_path, _record(tmp_path, 1, FAILED), _record(tmp_path, 2, FAILED, attempt=2))
    assert [(r.job, r.state) for r in read_runs(tmp_path)] == [(1, FAILED), (2, FAILED), (10, DONE)]


def test_a_run_that_the_plan_does_not_name_is_not_of_the_sweep(tmp_path: Path) -> None:
    _plan(tmp_path, 1)
    _on_disk(_record(tmp_path, 5, DONE))
    assert [r.job for r in read_runs(tmp_path)] == [0]


def test_a_sweep_that_was_moved_reads_as_before(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    _plan(old, 2)
    _on_disk(_record(old, 0, DONE))
    _journalled(old, _record(old, 1, DONE))
    old.rename(new)
    assert [(r.state, r.run_dir) for r in read_runs(new)] == [(DONE, str(new / "0")), (DONE, str(new / "1"))]


def test_runs_are_found_at_any_reasonable_depth_and_not_inside_each_other(tmp_path: Path) -> None:
    for name in ("0", "lr=1/seed=2", "a/b/c/d/e", "a/b/c/d/e/f/g/h", "0/inner", "snapshot/x", "tables/x", "shared/x"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "run.json").write_text("{}")
    found = {str(p.relative_to(tmp_path)) for p in find_run_dirs(tmp_path)}
    assert found == {"0", "lr=1/seed=2", "a/b/c/d/e"}


def test_states_are_counted_in_their_order_and_empty_ones_left_out() -> None:
    states = [State.FAILED, State.COMPLETED, State.COMPLETED, State.PENDING]
    runs = [_record(Path("x"), i, s) for i, s in enumerate(states)]
    assert list(count_states(runs).items()) == [("PENDING", 1), ("COMPLETED", 2), ("FAILED", 1)]
    assert count_states([]) == {}


def test_whether_a_process_lives_is_known_on_its_own_machine_only() -> None:
    here = socket.gethostname()
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert is_alive(os.getpid(), here) is True
    assert is_alive(process.pid, here) is False
    assert is_alive(1, here) is True
    assert is_alive(os.getpid(), "another-host") is None


def test_a_journal_that_was_read_already_is_not_read_again(tmp_path: Path) -> None:
    _plan(tmp_path, 2)
    _journalled(tmp_path, _record(tmp_path, 0, DONE))
    ledger = replay(SweepPaths(tmp_path).journal)
    SweepPaths(tmp_path).journal.unlink()
    assert [r.state for r in read_runs(tmp_path, ledger)] == [DONE, State.PENDING]
    assert [r.state for r in read_runs(tmp_path)] == [State.PENDING, State.PENDING]


def test_jobs_that_were_submitted_and_not_planned_are_pending_after_those_that_were(tmp_path: Path) -> None:
    _plan(tmp_path, 1)
    with Journal(SweepPaths(tmp_path).journal) as journal:
        journal.append("submitted", count=3)
        journal.append("started", job=0, attempt=1)
    assert [(r.job, r.state) for r in read_runs(tmp_path)] == [(n, State.PENDING) for n in range(3)]
