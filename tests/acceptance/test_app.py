"""The application's workloads through the command line, as their users run them."""

import csv
import os
import signal

import pytest
from tests.conftest import REPO, read_json, wait_for

FIXTURE = REPO / "tests" / "app" / "dispatch" / "fixture.csv"
SOURCES = {"PYTHONPATH": str(REPO / "src")}


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("d", "shadow", "dispatch", "savings"),
    [(20, "pb", "greedy+", 2.819261), (20, "naive", "greedy", 2.149365), (20, "pb", "greedyx", 2.149365)],
)
def test_the_dispatch_goldens_hold_through_the_command_line(shell, d, shadow, dispatch, savings):
    args = [f"workload.d={d}", f"workload.shadow={shadow}", f"workload.dispatch={dispatch}"]
    shell.python("-m", "app", "workload=dispatch", f"workload.jobs_csv={FIXTURE}", *args, check=0, **SOURCES)
    run = read_json(shell.only_sweep("app", "outputs") / "run.json")
    assert run["metrics"]["savings"] == pytest.approx(savings, abs=1e-6)
    assert run["metrics"]["lp"] == pytest.approx(2.878497, abs=1e-6)


def test_the_shadow_sweep_has_a_row_per_job_and_computes_each_bound_once(shell):
    generate = ["-m", "app.workloads.dispatch.generate", "--days", "2", "--jobs", "60"]
    shell.python(*generate, check=0, **SOURCES)
    shell.python("-m", "app", "-m", "+experiment=meituan_shadow_sweep", "workload.day=0,1", check=0, **SOURCES)
    sweep = shell.only_sweep("meituan_shadow_sweep")
    rows = rows_of(sweep / "results.csv")
    assert len(rows) == 2 * 3 * 2 * 2
    names = {f"workload.{name}" for name in ("day", "d", "shadow", "gamma", "tau")}
    assert names | {"savings", "ratio_lp"} <= set(rows[0])
    assert all(row[name] for row in rows for name in names | {"savings", "ratio_lp"})
    bounds = [(row["day"], row["d"]) for row in rows_of(sweep / "tables" / "lp.csv")]
    assert len(bounds) == len(set(bounds)) == 2 * 3


SMALL_ARENA = ["workload=arena", "workload.total_timesteps=300000", "workload.checkpoint_every=20000"]


def test_the_arena_grid_trains_and_evaluates_every_combination_in_order(shell):
    args = ["+experiment=arena_grid", "workload.total_timesteps=100000", "workload.checkpoint_every=50000"]
    shell.python("-m", "app", "-m", *args, check=0, **SOURCES)
    sweep = shell.only_sweep("arena_grid")
    runs = [read_json(sweep / str(job) / "run.json") for job in range(4)]
    assert all(set(run["stages"]) == {"train", "evaluate"} for run in runs)
    assert all(stage["state"] == "COMPLETED" for run in runs for stage in run["stages"].values())
    assert all({"cpus", "gpus", "nodes"} <= set(run["resources"]) for run in runs)
    assert all("eval_arena/score" in run["metrics"] for run in runs)
    ended = [run["attempts"][0]["ended_at"] for run in runs]
    begun = [run["attempts"][0]["started_at"] for run in runs]
    assert all(before <= after for before, after in zip(ended, begun[1:], strict=False))


def test_a_killed_training_goes_on_from_its_checkpoint_and_ends_as_if_it_had_not_been_killed(shell, monkeypatch):
    args = ["-m", "app", "-m", *SMALL_ARENA, "workload.seed=3"]
    monkeypatch.setenv("PYTHONPATH", SOURCES["PYTHONPATH"])
    process = shell.start(*args)
    sweep = wait_for(lambda: next(iter(shell.sweeps("app")), None))
    wait_for((sweep / "0" / "train" / "checkpoint.npz").exists)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert read_json(sweep / "0" / "run.json")["state"] == "RUNNING"
    shell.runyard("resume", check=0, **SOURCES)
    shell.python(*args, check=0, **SOURCES)
    resumed, whole = (read_json(s / "0" / "run.json") for s in shell.sweeps("app"))
    assert [a["state"] for a in resumed["attempts"]] == ["LOST", "COMPLETED"]
    score = [name for name in whole["metrics"] if name.startswith("eval_arena/")]
    assert [resumed["metrics"][n] for n in score] == [whole["metrics"][n] for n in score]


def test_a_training_that_is_told_to_save_is_preempted_and_goes_on_in_its_next_attempt(shell, monkeypatch):
    args = ["-m", "app", "-m", *SMALL_ARENA, "workload.seed=3", "hydra.launcher.max_retries=1"]
    monkeypatch.setenv("PYTHONPATH", SOURCES["PYTHONPATH"])
    process = shell.start(*args)
    sweep = wait_for(lambda: next(iter(shell.sweeps("app")), None))
    wait_for((sweep / "0" / "train" / "checkpoint.npz").exists)
    os.kill(read_json(sweep / "0" / "run.json")["attempts"][-1]["pid"], signal.SIGUSR2)
    assert process.wait() == 0
    shell.python(*args, check=0, **SOURCES)
    resumed, whole = (read_json(s / "0" / "run.json") for s in shell.sweeps("app"))
    assert [a["state"] for a in resumed["attempts"]] == ["PREEMPTED", "COMPLETED"]
    assert resumed["attempts"][0]["error"]["type"] == "runyard.pipeline.checkpoint.Requeue"
    saved = resumed["attempts"][0]["error"]["message"].rpartition(" ")[2]
    assert f"training goes on from agent step {saved}" in (sweep / "0" / "output.log").read_text()
    score = [name for name in whole["metrics"] if name.startswith("eval_arena/")]
    assert [resumed["metrics"][n] for n in score] == [whole["metrics"][n] for n in score]


def test_an_evaluation_never_runs_for_a_training_that_failed(shell):
    shell.python("-m", "app", "-m", *SMALL_ARENA, "hydra.sweep.dir=sweep", check=0, **SOURCES)
    (shell.cwd / "again").mkdir()
    (shell.cwd / "again" / "0" / "train").mkdir(parents=True)
    (shell.cwd / "again" / "0" / "train" / "checkpoint.npz").write_bytes(b"not a checkpoint")
    shell.python("-m", "app", "-m", *SMALL_ARENA, "hydra.sweep.dir=again", check=1, **SOURCES)
    run = read_json(shell.cwd / "again" / "0" / "run.json")
    assert run["stages"]["train"]["state"] == "FAILED"
    assert run["stages"]["evaluate"]["state"] == "PENDING"
    assert [path.name for path in (shell.cwd / "again" / "0" / "evaluate").iterdir()] == ["stage.json"]
