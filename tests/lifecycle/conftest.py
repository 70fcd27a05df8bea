"""A little application with config groups, real sweeps of it, and sweeps written with the record's own writers."""

from __future__ import annotations

import dataclasses
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Shell

from runyard.base import State, SweepState
from runyard.record import (
    Attempt,
    PlanRow,
    RunRecord,
    SweepPaths,
    SweepRecord,
    count_states,
    write_plan,
    write_run,
    write_sweep,
)

APP = {
    "train.py": """
import hydra
from hydra.core.hydra_config import HydraConfig


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(cfg):
    if cfg.fails:
        raise ValueError("as asked")
    loss = (cfg.lr - 0.3) ** 2 + 0.01 * cfg.seed + 1 / cfg.model.width
    with open(HydraConfig.get().runtime.output_dir + "/weights.npz", "wb") as file:
        file.write(bytes(100_000))
    found = {"loss": loss, "width": cfg.model.width, "batch": cfg.data.batch, "steps": cfg.get("steps", 0)}
    return found if cfg.limit is None else {**found, "gates_passed": loss < cfg.limit}


if __name__ == "__main__":
    main()
""",
    "conf/config.yaml": """
defaults:
  - model: small
  - _self_

lr: 0.1
seed: 0
fails: false
limit: null
data:
  size: 100
  batch: ${data.size}
out: ${hydra:runtime.output_dir}/out
home: ${oc.env:HOME}
""",
    "conf/model/small.yaml": "width: 4\nlayers: [1, 2]\n",
    "conf/model/big.yaml": "width: 16\nlayers: [1, 2, 3]\ndropout: 0.5\n",
    "conf/experiment/deep.yaml": """
# @package _global_
defaults:
  - override /model: big
steps: 7
""",
}

MakeSweep = Callable[..., Path]


@pytest.fixture
def project(shell: Shell) -> Shell:
    """A directory with the application in it; its sweeps come into ./multirun."""
    for name, text in APP.items():
        path = shell.cwd / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip())
    return shell


def sweep(project: Shell, *overrides: str, experiment: str = "study", check: int | None = 0) -> Path:
    """A real sweep of the application; returns its directory."""
    before = set(project.sweeps(experiment))
    words = ("-m", "+runyard=local", f"hydra.callbacks.runyard.experiment={experiment}", *overrides)
    project.python("train.py", *words, check=check)
    (made,) = set(project.sweeps(experiment)) - before
    return made


def write_sweep_dir(
    folder: Path,
    *,
    states: Sequence[State] = (State.COMPLETED, State.COMPLETED),
    metrics: Sequence[Mapping[str, Any]] = (),
    runs: Mapping[str, Any] | None = None,
    ended_at: str = "2026-01-31T12:03:20.000Z",
    **facts: Any,
) -> Path:
    """A finished sweep with a file of weights in each run."""
    found = [
        _run(folder, job, state, dict(metrics[job]) if metrics else {}, ended_at) for job, state in enumerate(states)
    ]
    found = [dataclasses.replace(run, **(runs or {})) for run in found]
    for run in found:
        Path(run.run_dir, ".hydra").mkdir(parents=True, exist_ok=True)
        Path(run.run_dir, ".hydra", "config.yaml").write_text(f"seed: {run.job}\n")
        Path(run.run_dir, "weights.npz").write_bytes(bytes(10_000))
        write_run(run)
    rows = [PlanRow(job=r.job, run_key=r.run_key, run_dir=str(r.job), values={"seed": str(r.job)}) for r in found]
    write_plan(SweepPaths(folder).plan_csv, rows, ["seed"])
    done = all(state is State.COMPLETED for state in states)
    record = SweepRecord(
        sweep_id=folder.name,
        experiment=folder.parent.name,
        state=SweepState.COMPLETED if done else SweepState.FAILED,
        command=("python", "train.py", "-m", "seed=0,1"),
        cwd=str(folder.parent),
        overrides=("seed=0,1",),
        launcher="runyard_local",
        created_at="2026-01-31T12:00:00.000Z",
        finished_at=ended_at,
        counts=count_states(found),
        provenance={"git": {"sha": "abc1234def", "branch": "main", "dirty": False}},
    )
    write_sweep(folder, dataclasses.replace(record, **facts))
    return folder


def _run(folder: Path, job: int, state: State, metrics: dict[str, Any], ended_at: str) -> RunRecord:
    attempt = Attempt(
        n=1,
        state=state,
        started_at="2026-01-31T12:00:00.000Z",
        ended_at=ended_at,
        host=socket.gethostname(),
        pid=os.getpid(),
        seconds=2.5,
        exit_code=0,
    )
    return RunRecord(
        sweep_id=folder.name,
        job=job,
        run_key=f"1-{job}",
        state=state,
        overrides=(f"seed={job}",),
        params={"seed": job},
        run_dir=str(folder / str(job)),
        metrics=metrics or ({"loss": 0.5 + job / 10} if state is State.COMPLETED else {}),
        attempts=(attempt,) if state is not State.PENDING else (),
        seconds=2.5,
        provenance={"git": {"sha": "abc1234def", "branch": "main", "dirty": False}},
    )


@pytest.fixture
def make_sweep(tmp_path: Path) -> MakeSweep:
    """Writes a finished sweep below <tmp>/multirun; returns its directory."""

    def make(sweep_id: str = "20260131T120000Z-abc1234", *, experiment: str = "study", **facts: Any) -> Path:
        return write_sweep_dir(tmp_path / "multirun" / experiment / sweep_id, **facts)

    return make
