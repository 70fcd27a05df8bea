from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runyard.base import State, SweepState
from runyard.record import (
    Attempt,
    ErrorInfo,
    PlanRow,
    RunPaths,
    RunRecord,
    SweepPaths,
    SweepRecord,
    open_table,
    write_plan,
    write_run,
    write_sweep,
)

SWEEP_ID = "20260131T120000Z-abc1234"
STATES = (State.COMPLETED, State.FAILED, State.COMPLETED, State.CANCELLED, State.RUNNING)


def write_job(sweep_dir: Path, job: int, state: State) -> RunRecord:
    folder = sweep_dir / str(job)
    (folder / ".hydra").mkdir(parents=True, exist_ok=True)
    (folder / ".hydra" / "config.yaml").write_text(
        f"model:\n  lr: 0.{job}\n  name: net\ndb:\n  password: hush-hush\nempty: {{}}\nlong: {'x' * 7000}\n"
    )
    RunPaths(folder).output_log.write_text("".join(f"line {n}\n" for n in range(1000)))
    ended = state is not State.RUNNING
    attempt = Attempt(
        n=1,
        state=state,
        started_at=f"2026-01-31T12:00:0{job}.000Z",
        ended_at=f"2026-01-31T12:01:0{job}.500Z" if ended else None,
        host="node1",
        pid=1,
        seconds=60.5 if ended else None,
        error=ErrorInfo(type="ValueError", message="boom") if state is State.FAILED else None,
    )
    run = RunRecord(
        sweep_id=SWEEP_ID,
        job=job,
        run_key=f"1-key{job}",
        state=state,
        overrides=(f"model.lr=0.{job}", "+opt=adam"),
        params={"model.lr": job / 10, "+opt": "adam"},
        run_dir=str(folder),
        metrics={"acc": 0.5 + job / 8, "eval/loss": float("nan")} if state is State.COMPLETED else {},
        attempts=(attempt,),
        seconds=attempt.seconds,
        provenance={"git": {"sha": "abc1234def", "branch": "main", "dirty": False}},
    )
    write_run(run)
    return run


@pytest.fixture
def sweep_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sweep of five jobs: two completed, one failed, one cancelled, one still at work; the first counts epochs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    sweep_dir = tmp_path / "multirun" / "mnist" / SWEEP_ID
    sweep_dir.mkdir(parents=True)
    runs = [write_job(sweep_dir, job, state) for job, state in enumerate(STATES)]
    rows = [PlanRow(job=r.job, run_key=r.run_key, run_dir=str(r.job), values=r.params) for r in runs]
    write_plan(SweepPaths(sweep_dir).plan_csv, rows, ["model.lr", "+opt"])
    curve = open_table(sweep_dir / "0" / "tables", "curve")
    curve.extend([{"epoch": n, "loss": 1 / (n + 1), "word": "a"} for n in range(5)])
    open_table(sweep_dir / "0" / "tables", "trials").append(trial=1, won=1)
    SweepPaths(sweep_dir).config_yaml.write_text("model:\n  lr: 0.0\n")
    SweepPaths(sweep_dir).results_csv.write_text("job,state\n0,COMPLETED\n")
    SweepPaths(sweep_dir).notes.write_text("what came out\n")
    record = SweepRecord(
        sweep_id=SWEEP_ID,
        experiment="mnist",
        state=SweepState.RUNNING,
        command=("python", "train.py", "-m"),
        cwd=str(tmp_path),
        overrides=(),
        launcher="runyard_local",
        created_at="2026-01-31T12:00:00.000Z",
        provenance={"git": {"sha": "abc1234def", "branch": "main", "dirty": False}},
        note="a note",
    )
    write_sweep(sweep_dir, record)
    return sweep_dir


@pytest.fixture
def ended_dir(sweep_dir: Path) -> Path:
    """The same sweep when its last job has completed."""
    end(sweep_dir)
    return sweep_dir


def end(sweep_dir: Path) -> None:
    from runyard.record import read_sweep

    write_job(sweep_dir, 4, State.COMPLETED)
    write_sweep(
        sweep_dir, replace(read_sweep(sweep_dir), state=SweepState.FAILED, finished_at="2026-01-31T12:02:00.000Z")
    )
