"""Sweeps on Slurm, packed and left alone: who runs which job, what comes out of it, and what follows from the shell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import REPO, read_json, wait_for
from tests.slurm.clusters import Cluster, ClusterShell, end_cluster, start_cluster
from tests.slurm.test_sweeps import array_of, rows, states, submit

#: of a sweep in Slurm's queue, what differs from the same one elsewhere.
OF_THE_RUN = ("seconds", "run_dir")
#: the workers wait until they are released.
HELD = "+hydra.launcher.hold=true"
SOURCES = {"PYTHONPATH": str(REPO / "src")}


def results(sweep: Path, *less: str) -> list[dict[str, str]]:
    """Rows of the results, less what may differ between two runs of one job, and less columns of these names."""
    return [{key: value for key, value in row.items() if key not in (*OF_THE_RUN, *less)} for row in rows(sweep)]


def marks(shell: ClusterShell, name: str) -> int:
    """How many marks of this name the jobs of marked_app have left."""
    return len(list((shell.cwd / "marks").glob(f"{name}.*")))


def parts_of(sweep: Path) -> list[str]:
    """What each worker has noted in its part of the journal."""
    return [path.read_text() for path in sorted((sweep / "journal").glob("*.jsonl"))]


def workers_told(sweep: Path) -> list[dict[str, Any]]:
    """What workers have noted when they began, each for every life of it."""
    events = [json.loads(line) for text in parts_of(sweep) for line in text.splitlines()]
    return [event for event in events if event["event"] == "worker"]


def test_nothing_runs_before_the_workers_start_and_the_rows_so_far_can_be_had(
    cluster: Cluster, shell: ClusterShell
) -> None:
    submit(shell, "i=range(3)", "gate_at=1", "hydra.launcher.workers=1", HELD, app="marked_app")
    sweep = shell.only_sweep("marked_app")
    assert not (shell.cwd / "marks").exists()
    assert read_json(sweep / "sweep.json")["state"] != "COMPLETED"
    shell.runyard("wait", "--timeout", "0", check=2)
    assert not (sweep / "results.csv").exists()
    cluster.scontrol("release", array_of(sweep))
    wait_for(lambda: marks(shell, "begun-1"), timeout_s=60)
    shell.runyard("collect", check=0)
    found = rows(sweep)
    assert (found[0]["state"], found[0]["square"]) == ("COMPLETED", "0")
    assert (found[2]["state"], found[2]["square"]) == ("PENDING", "")
    assert found[1]["state"] == "RUNNING"
    assert read_json(sweep / "sweep.json")["state"] == "RUNNING"
    (shell.cwd / "marks" / "go").touch()
    shell.runyard("wait", check=0)
    assert states(sweep) == {"COMPLETED": 3}


def test_an_application_is_imported_once_for_all_jobs_of_a_worker(bare_cluster: Cluster, shell: ClusterShell) -> None:
    submit(shell, "i=range(30)", "sleep_s=0.1", "hydra.launcher.workers=3", app="marked_app")
    shell.runyard("wait", check=0)
    sweep = shell.only_sweep("marked_app")
    assert marks(shell, "imported") == 3
    assert [(marks(shell, f"begun-{job}"), marks(shell, f"ended-{job}")) for job in range(30)] == [(1, 1)] * 30
    assert [row["imported_here"] for row in rows(sweep)] == ["0"] * 30
    runs = [read_json(sweep / str(job) / "run.json") for job in range(30)]
    assert len({run["attempts"][0]["pid"] for run in runs}) == 30
    for job, run in enumerate(runs):
        assert (run["job"], run["state"]) == (job, "COMPLETED")
        assert (sweep / str(job) / "output.log").read_text() == f"printed by {job}\n"


@pytest.mark.parametrize(("settings", "workers"), [(["workers=9"], 2), (["workers=1", "max_tasks_per_job=1"], 2)])
def test_there_is_a_worker_for_each_job_at_the_most_and_none_takes_more_than_it_may(
    bare_cluster: Cluster, shell: ClusterShell, settings: list[str], workers: int
) -> None:
    submit(shell, "i=range(2)", *(f"hydra.launcher.{setting}" for setting in settings), app="marked_app")
    shell.runyard("wait", check=0)
    sweep = shell.only_sweep("marked_app")
    assert read_json(sweep / "slurm" / "work-0.json")["arrays"][0]["tasks"] == workers
    assert states(sweep) == {"COMPLETED": 2}
    if "max_tasks_per_job=1" in settings:
        assert marks(shell, "imported") == 2
        ends = [sum('"started"' in line for line in text.splitlines()) for text in parts_of(sweep)]
        assert ends == [1, 1]


def test_an_array_that_is_larger_than_the_cluster_allows_is_split(tmp_path: Path) -> None:
    small = start_cluster(tmp_path, accounting=False, SLURM_UP_MAX_ARRAY="3", SLURM_UP_NODES="1")
    shell = ClusterShell(tmp_path, cluster=small)
    try:
        submit(shell, "i=range(5)", "hydra.launcher.max_tasks_per_job=1", app="marked_app")
        shell.runyard("wait", check=0)
        sweep = shell.only_sweep("marked_app")
        arrays = read_json(sweep / "slurm" / "work-0.json")["arrays"]
        assert sum(array["tasks"] for array in arrays) == 5
        assert len({array["job_id"] for array in arrays}) == len(arrays) == -(-5 // max(a["tasks"] for a in arrays))
        assert max(array["tasks"] for array in arrays) <= 3
        assert states(sweep) == {"COMPLETED": 5}
        assert marks(shell, "imported") == 5
        assert sorted(told["lane"] for told in workers_told(sweep)) == [0, 1, 2, 3, 4]
    finally:
        shell.end()
        end_cluster(small, keep_logs=False)


def test_metrics_tables_and_failures_are_those_of_the_local_launcher(
    bare_cluster: Cluster, shell: ClusterShell
) -> None:
    words = ["i=range(8)", "fail_at=3", "exit_at=5"]
    submit(shell, *words, "hydra.launcher.workers=2", app="rows_app")
    shell.runyard("wait", check=1)
    shell.app("rows_app", "-m", "+runyard=local", *words, check=1)
    here, there = shell.sweeps("rows_app")
    assert results(here) == results(there)
    assert states(here) == {"COMPLETED": 6, "FAILED": 2}
    for name in ("rows", "frame"):
        table = (here / "tables" / f"{name}.csv").read_text()
        assert table == (there / "tables" / f"{name}.csv").read_text()
        assert len(table.splitlines()) > 6


def test_the_arena_grid_gives_what_the_local_launcher_gives(bare_cluster: Cluster, shell: ClusterShell) -> None:
    grid = ["+experiment=arena_grid", "workload.total_timesteps=70000", "workload.checkpoint_every=35000"]
    for where, slurm in (("local", []), ("slurm", ["hydra.launcher.workers=2"])):
        shell.python("-m", "app", "-m", *grid, f"runyard={where}", *slurm, check=0, **SOURCES)
    shell.runyard("wait", "--timeout", "110", check=0, **SOURCES)
    there, here = shell.sweeps("arena_grid")
    assert results(here, "train_s") == results(there, "train_s")
    assert len(rows(here)) == 4
    assert all(row["eval_arena/score"] for row in rows(here))


def test_the_dispatch_sweep_gives_what_the_local_launcher_gives(bare_cluster: Cluster, shell: ClusterShell) -> None:
    generate = ["-m", "app.workloads.dispatch.generate", "--days", "2", "--jobs", "60"]
    shell.python(*generate, check=0, **SOURCES)
    grid = ["+experiment=meituan_shadow_sweep", "workload.day=0,1", "workload.d=10,20"]
    for where, slurm in (("local", []), ("slurm", ["hydra.launcher.workers=2"])):
        shell.python("-m", "app", "-m", *grid, f"runyard={where}", *slurm, check=0, **SOURCES)
    shell.runyard("wait", "--timeout", "110", check=0, **SOURCES)
    there, here = shell.sweeps("meituan_shadow_sweep")
    assert results(here, "simulate_s") == results(there, "simulate_s")
    assert len(rows(here)) == 2 * 2 * 2 * 2
    assert all(row["savings"] and row["ratio_lp"] for row in rows(here))


def test_a_sweep_that_is_cancelled_before_it_begins_is_over_and_can_be_taken_up_again(
    cluster: Cluster, shell: ClusterShell
) -> None:
    submit(shell, "i=range(4)", "hydra.launcher.workers=2", HELD, app="marked_app")
    shell.runyard("cancel", check=0)
    shell.runyard("wait", "--timeout", "60", check=1)
    assert states(shell.only_sweep("marked_app")) == {"PENDING": 4}
    assert not (shell.cwd / "marks").exists()
    shell.runyard("resume", "hydra.launcher.hold=false", check=0)
    shell.runyard("wait", check=0)
    assert states(shell.only_sweep("marked_app")) == {"COMPLETED": 4}


def test_failed_jobs_are_tried_again_those_that_are_named_first(bare_cluster: Cluster, shell: ClusterShell) -> None:
    submit(shell, "i=range(4)", "fail_first=1", "hydra.launcher.workers=2")
    sweep = shell.only_sweep("short_app")
    shell.runyard("wait", check=1)
    assert states(sweep) == {"FAILED": 4}
    shell.runyard("retry", "--jobs", "1,3", check=0)
    shell.runyard("wait", check=1)
    assert [row["state"] for row in rows(sweep)] == ["FAILED", "COMPLETED", "FAILED", "COMPLETED"]
    shell.runyard("retry", check=0)
    shell.runyard("wait", check=0)
    assert [(row["state"], row["attempts"]) for row in rows(sweep)] == [("COMPLETED", "2")] * 4


def test_who_stays_sees_how_it_goes_and_the_exit_code_tells_how_it_went(
    bare_cluster: Cluster, shell: ClusterShell
) -> None:
    done = submit(shell, "i=range(4)", "fail_at=2", "hydra.launcher.wait=true", app="marked_app", check=1)
    for job, state in enumerate(["COMPLETED", "COMPLETED", "FAILED", "COMPLETED"]):
        assert f"job {job} {state}" in done.stderr
    assert states(shell.only_sweep("marked_app")) == {"COMPLETED": 3, "FAILED": 1}
    submit(shell, "i=1,2", "hydra.launcher.wait=true", app="marked_app", check=0)
    assert states(shell.sweeps("marked_app")[-1]) == {"COMPLETED": 2}


def test_hydras_own_sweeper_gets_the_real_results_when_it_waits_for_them(
    bare_cluster: Cluster, shell: ClusterShell
) -> None:
    words = ["-m", "hydra/launcher=runyard_slurm", "hydra.launcher.wait=true", "i=2,3"]
    shell.app("rows_app", *words, "hydra.sweep.dir=mine", check=0)
    assert [row["square"] for row in rows(shell.cwd / "mine")] == ["4", "9"]
    done = shell.app("rows_app", *words, "fail_at=3", "hydra.sweep.dir=failing", check=1)
    assert "as asked" in done.stderr
