from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from runyard.base import State, SweepState
from runyard.cli import main
from runyard.record import (
    Attempt,
    ErrorInfo,
    PlanRow,
    RunPaths,
    RunRecord,
    StageInfo,
    SweepPaths,
    SweepRecord,
    count_states,
    write_plan,
    write_run,
    write_sweep,
)

Runyard = Callable[..., Result]
MakeSweep = Callable[..., Path]

_TRACEBACK = 'Traceback (most recent call last):\n  File "train.py", line 3, in main\nValueError: boom in job'
_STARTED = "2026-01-31T12:00:00.000Z"


def a_run(sweep_dir: Path, sweep_id: str, job: int, state: State, **changes: Any) -> RunRecord:
    begun, ended = state is not State.PENDING, state not in (State.PENDING, State.RUNNING)
    error = ErrorInfo(type="ValueError", message=f"boom in job {job}\nmore", traceback=f"{_TRACEBACK} {job}")
    attempt = Attempt(
        n=1,
        state=state,
        started_at=_STARTED,
        host=socket.gethostname(),
        pid=os.getpid(),
        seconds=2.5 if ended else None,
        exit_code=1 if state is State.FAILED else None,
        error=error if state is State.FAILED else None,
    )
    done = state is State.COMPLETED
    record = RunRecord(
        sweep_id=sweep_id,
        job=job,
        run_key=f"key{job}",
        state=state,
        overrides=(f"model.lr=0.{job}", "seed=1"),
        params={"model.lr": job / 10, "seed": 1},
        run_dir=str(sweep_dir / str(job)),
        metrics={"acc": 0.5 + job / 10, "loss": float("nan")} if done else {},
        stages={"train": StageInfo(state=state, seconds=1.25, metrics={"steps": 10})} if done else {},
        attempts=(attempt,) if begun else (),
        seconds=2.5 if ended else None,
        resources={"cpus": 2, "gpus": 0},
        provenance={"git": {"sha": "abc1234def", "branch": "main", "dirty": False}},
    )
    return replace(record, **changes)


def write_sweep_dir(
    sweep_dir: Path, sweep_id: str, experiment: str, states: Sequence[State], facts: dict[str, Any]
) -> Path:
    runs = [a_run(sweep_dir, sweep_id, job, state) for job, state in enumerate(states)]
    for run in runs:
        folder = Path(run.run_dir)
        folder.mkdir(parents=True, exist_ok=True)
        if run.state is not State.PENDING:
            write_run(run)
            RunPaths(folder).output_log.write_text("".join(f"job {run.job} line {n}\n" for n in range(1, 31)))
    rows = [
        PlanRow(job=r.job, run_key=r.run_key, run_dir=str(r.job), values={k: str(v) for k, v in r.params.items()})
        for r in runs
    ]
    sweep_dir.mkdir(parents=True, exist_ok=True)
    write_plan(SweepPaths(sweep_dir).plan_csv, rows, ["model.lr", "seed"])
    done = all(state is State.COMPLETED for state in states)
    record = SweepRecord(
        sweep_id=sweep_id,
        experiment=experiment,
        state=SweepState.COMPLETED if done else SweepState.FAILED,
        command=("python", "train.py", "-m", "model.lr=0,1", "note='two words'"),
        cwd=str(sweep_dir.parent),
        overrides=("model.lr=0,1",),
        launcher="runyard_local",
        created_at=_STARTED,
        finished_at="2026-01-31T12:03:20.000Z",
        counts=count_states(runs),
        provenance={
            "git": {"sha": "abc1234def", "branch": "main", "dirty": True, "patch": "git.patch"},
            "python": "3.11.7",
            "host": {"name": "node1"},
        },
        tags=("first", "second"),
        note="a note",
        entry={"python": "python", "flags": [], "kind": "script", "target": "train.py", "cwd": "."},
    )
    write_sweep(sweep_dir, replace(record, **facts))
    return sweep_dir


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return tmp_path


@pytest.fixture
def make_sweep(project: Path) -> MakeSweep:
    """Writes a sweep below ./multirun with the record's own writers; returns its directory."""

    def make(
        sweep_id: str = "20260131T120000Z-abc1234",
        states: Sequence[State] = (State.COMPLETED, State.FAILED, State.COMPLETED),
        *,
        experiment: str = "mnist",
        directory: Path | None = None,
        **facts: Any,
    ) -> Path:
        sweep_dir = directory or project / "multirun" / experiment / sweep_id
        return write_sweep_dir(sweep_dir, sweep_id, experiment, states, facts)

    return make


@pytest.fixture
def runyard(project: Path) -> Runyard:
    """The command, in this process; a traceback fails the test."""

    def call(*arguments: str | Path) -> Result:
        result = CliRunner().invoke(main, [str(a) for a in arguments], prog_name="runyard")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call
