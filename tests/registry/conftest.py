from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runyard.base import State, SweepState
from runyard.record import Attempt, RunRecord, SweepRecord, count_states, write_run, write_sweep

MakeSweep = Callable[..., Path]


def a_run(sweep_dir: Path, sweep_id: str, job: int, state: State = State.COMPLETED, **changes: Any) -> RunRecord:
    attempt = Attempt(n=1, state=state, started_at="2026-01-31T12:00:00.000Z", host="node1", pid=77, seconds=1.5)
    return RunRecord(
        sweep_id=sweep_id,
        job=job,
        run_key=f"key{job}",
        state=state,
        overrides=(f"lr={job}",),
        params={"lr": job},
        run_dir=str(sweep_dir / str(job)),
        metrics={"acc": job / 10, "loss": float("nan")},
        attempts=(attempt,),
        seconds=1.5,
        provenance={"git": {"sha": "abc123"}},
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "multirun"


@pytest.fixture
def make_sweep(root: Path) -> MakeSweep:
    """Writes a sweep with the record's own writers: its runs, then its sweep.json; returns its directory."""

    def make(
        sweep_id: str = "20260131T120000Z-abc",
        *,
        experiment: str = "mnist",
        states: tuple[State, ...] = (State.COMPLETED, State.FAILED),
        directory: Path | None = None,
        **facts: Any,
    ) -> Path:
        sweep_dir = directory or root / experiment / sweep_id
        sweep_dir.mkdir(parents=True, exist_ok=True)
        runs = [a_run(sweep_dir, sweep_id, job, state) for job, state in enumerate(states)]
        for run in runs:
            folder = sweep_dir / str(run.job)
            folder.mkdir(exist_ok=True)
            write_run(replace(run, run_dir=str(folder)))
        record = SweepRecord(
            sweep_id=sweep_id,
            experiment=experiment,
            state=SweepState.COMPLETED,
            command=("python", "train.py", "-m", "lr=0,1"),
            cwd="/home/u/project",
            overrides=("lr=0,1",),
            launcher="runyard_local",
            created_at="2026-01-31T12:00:00.000Z",
            finished_at="2026-01-31T12:01:00.000Z",
            counts=count_states(runs),
            provenance={"git": {"sha": "abc123", "branch": "main", "dirty": False}, "host": {"name": "node1"}},
            tags=("first", "second"),
            note="a note",
        )
        write_sweep(sweep_dir, replace(record, **facts))
        return sweep_dir

    return make
