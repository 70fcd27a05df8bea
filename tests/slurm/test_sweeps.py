"""Sweeps on a real Slurm, as their users start and follow them."""

from __future__ import annotations

import csv
import json
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import APPS, REPO, read_json, wait_for
from tests.slurm.clusters import Cluster, ClusterShell, end_cluster, start_cluster

SLURM = ["-m", "+runyard=slurm"]
#: of a sweep in Slurm's queue, what differs from the same one elsewhere.
OF_THE_RUN = ("seconds", "run_dir")

#: the workers wait until they are released.
HELD = "+hydra.launcher.hold=true"
SOURCES = {"PYTHONPATH": str(REPO / "src")}


def rows(sweep: Path) -> list[dict[str, str]]:
    with (sweep / "results.csv").open() as file:
        return list(csv.DictReader(file))


def results(sweep: Path, *less: str) -> list[dict[str, str]]:
    """Rows of the results, less what may differ between two runs of one job, and less columns of these names."""
    return [{key: value for key, value in row.items() if key not in (*OF_THE_RUN, *less)} for row in rows(sweep)]


def submit(shell: ClusterShell, *words: str, app: str = "short_app", check: int = 0, **variables: str) -> Any:
    return shell.app(app, *SLURM, *words, check=check, **variables)


def array_of(sweep: Path) -> str:
    return str(read_json(sweep / "slurm" / "work-0.json")["arrays"][0]["job_id"])


def states(sweep: Path) -> Counter[str]:
    return Counter(row["state"] for row in rows(sweep))


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


def ended_marks(shell: ClusterShell) -> Counter[str]:
    """How many attempts of each job have begun."""
    return Counter(path.name.partition(".")[0] for path in (shell.cwd / "marks").glob("*.begun.*"))


def workers_running(shell: ClusterShell, count: int) -> list[dict[str, Any]]:
    def found() -> list[dict[str, Any]]:
        told = json.loads(shell.runyard("status", "--json", check=0).stdout)["workers"]
        return [worker for worker in told if worker["jobs"]]

    workers: list[dict[str, Any]] = wait_for(lambda: w if len(w := found()) >= count else None, timeout_s=60)
    return workers


def test_a_sweep_is_submitted_left_and_collected_from_another_process(cluster: Cluster, shell: ClusterShell) -> None:
    done = submit(shell, "i=range(6)", "hydra.launcher.workers=2")
    sweep = shell.only_sweep("short_app")
    assert sweep.name in done.stderr
    assert array_of(sweep) in done.stderr
    shell.runyard("wait", check=0)
    shell.app("short_app", "-m", "+runyard=local", "i=range(6)", check=0)
    here, there = shell.sweeps("short_app")
    assert results(here) == results(there)
    assert read_json(here / "sweep.json")["state"] == "COMPLETED"


def test_jobs_are_packed_and_each_has_a_process_of_its_own(bare_cluster: Cluster, shell: ClusterShell) -> None:
    submit(shell, "i=range(9)", "hydra.launcher.workers=3")
    shell.runyard("wait", check=0)
    sweep = shell.only_sweep("short_app")
    assert len(list((sweep / "journal").glob("*.jsonl"))) == 3
    pids = {read_json(sweep / str(job) / "run.json")["attempts"][0]["pid"] for job in range(9)}
    assert len(pids) == 9
    assert all(f"pid {pid}" in "".join((sweep / str(j) / "output.log").read_text() for j in range(9)) for pid in pids)


def test_the_exit_code_of_wait_tells_how_it_went(bare_cluster: Cluster, shell: ClusterShell) -> None:
    submit(shell, "i=1,2", "fail_first=1", HELD)
    sweep = shell.only_sweep("short_app")
    shell.runyard("wait", "--timeout", "0.5", check=2)
    bare_cluster.scontrol("release", array_of(sweep))
    shell.runyard("wait", check=1)
    assert states(sweep) == {"FAILED": 2}


def test_a_failed_job_fails_its_allocation_and_afterok_does_not_start(cluster: Cluster, shell: ClusterShell) -> None:
    submit(shell, "i=7,1", "hydra.launcher.workers=1", app="their_app")
    array = array_of(shell.only_sweep("their_app"))
    after = cluster.sbatch(f"--dependency=afterok:{array}", "--wrap", "touch followed", cwd=shell.cwd)
    shell.runyard("wait", check=1)
    wait_for(lambda: cluster.job(after)["Reason"] == "DependencyNeverSatisfied", timeout_s=60)
    assert cluster.job(f"{array}_0")["JobState"] == "FAILED"
    assert cluster.squeue("-h", "-r", "-t", "all", "-j", array, "-o", "%T").split() == ["FAILED"]
    if cluster.has_accounting:
        wait_for(lambda: cluster.sacct("-n", "-X", "-P", "-o", "State", "-j", array).split() == ["FAILED"])
    assert not (shell.cwd / "followed").exists()


def test_on_request_a_failed_job_leaves_its_allocation_well(bare_cluster: Cluster, shell: ClusterShell) -> None:
    submit(shell, "i=7,1", "hydra.launcher.fail_allocation=false", app="their_app")
    array = array_of(shell.only_sweep("their_app"))
    after = bare_cluster.sbatch(f"--dependency=afterok:{array}", "--wrap", "touch followed", cwd=shell.cwd)
    shell.runyard("wait", check=1)
    bare_cluster.await_job(after, "COMPLETED")
    assert (shell.cwd / "followed").exists()
    assert {bare_cluster.job(f"{array}_{n}")["JobState"] for n in range(2)} == {"COMPLETED"}


def test_jobs_that_ask_for_different_things_go_to_different_arrays(bare_cluster: Cluster, shell: ClusterShell) -> None:
    submit(shell, "i=1,2,3", 'hydra.launcher.resources.rules=[{when:"i=2",gpus:2,mem_gb:3}]')
    shell.runyard("wait", check=0)
    sweep = shell.only_sweep("short_app")
    scripts = [path.read_text() for path in sorted((sweep / "slurm").glob("script-*.sh"))]
    assert ["--gpus-per-node=2" in text for text in scripts] == [False, True]
    assert states(sweep) == {"COMPLETED": 3}


def test_stages_have_workers_of_their_own(cluster: Cluster, shell: ClusterShell) -> None:
    submit(
        shell,
        "x=1,2,3",
        "hydra.launcher.stages={train:{partition:low},evaluate:{partition:high,cpus_per_task:2}}",
        app="staged_app",
    )
    shell.runyard("wait", check=0)
    sweep = shell.only_sweep("staged_app")
    for job in range(3):
        log = (sweep / str(job) / "output.log").read_text()
        assert ("train on low" in log, "evaluate on high" in log) == (True, True)
    assert states(sweep) == {"COMPLETED": 3}
    train, evaluate = read_json(sweep / "slurm" / "work-0.json")["arrays"]
    assert f"--dependency=aftercorr:{train['job_id']}" in (sweep / "slurm" / "script-1.sh").read_text()
    assert evaluate["tasks"] == 3


# -- packing ----------------------------------------------------------------------------------------------------------


def test_nothing_runs_before_the_workers_start_and_the_rows_so_far_can_be_had(
    cluster: Cluster, shell: ClusterShell
) -> None:
    submit(shell, "i=range(3)", "sleep_s=2", "hydra.launcher.workers=1", HELD, app="marked_app")
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
    assert read_json(sweep / "sweep.json")["state"] == "RUNNING"
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


# -- the same results as on one machine -------------------------------------------------------------------------------


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


# -- what can befall it -----------------------------------------------------------------------------------------------

HARM = ["worker killed", "task cancelled", "task killed", "node killed", "controller restarted"]


@pytest.mark.parametrize("harm", HARM)
def test_every_job_completes_once_whatever_befalls_a_worker(cluster: Cluster, shell: ClusterShell, harm: str) -> None:
    submit(shell, "i=range(16)", "sleep_s=1", "hydra.launcher.workers=3", "hydra.launcher.max_requeues=8")
    sweep = shell.only_sweep("short_app")
    worker = workers_running(shell, 3)[0]
    if harm == "worker killed":
        part = (sweep / "journal" / f"{worker['name']}.jsonl").read_text().splitlines()
        pid = next(json.loads(line)["pid"] for line in part if '"worker"' in line)
        shell.python("-c", f"import os; os.kill({pid}, 9)", check=0)
    elif harm == "task cancelled":
        cluster.scancel(worker["name"])
    elif harm == "task killed":
        cluster.scancel("--signal=KILL", worker["name"])
    elif harm == "node killed":
        cluster.kill_node(worker["node"])
    else:
        cluster.stop_controller()
        time.sleep(2)
        cluster.start_controller()
    shell.runyard("wait", check=0, timeout_s=240)
    assert states(sweep) == {"COMPLETED": 16}
    assert [row["square"] for row in rows(sweep)] == [str(i**2) for i in range(16)]
    # a job has begun as often as it has attempts on record, and all but the last have a cause
    runs = [read_json(sweep / str(job) / "run.json") for job in range(16)]
    assert ended_marks(shell) == {str(job): len(run["attempts"]) for job, run in enumerate(runs)}
    for run in runs:
        *lost, last = run["attempts"]
        assert last["state"] == "COMPLETED"
        assert all(attempt["state"] in ("LOST", "PREEMPTED") and attempt["error"]["message"] for attempt in lost)


def test_what_was_preempted_goes_on_when_there_is_room_again(cluster: Cluster, shell: ClusterShell) -> None:
    submit(shell, "i=range(8)", "sleep_s=1", "hydra.launcher.workers=2", "hydra.launcher.partition=low")
    sweep = shell.only_sweep("short_app")
    workers_running(shell, 2)
    cluster.sbatch("-p", "high", f"-N{len(cluster.nodes)}", "--exclusive", "--wrap", "sleep 3", cwd=shell.cwd)
    shell.runyard("wait", check=0, timeout_s=240)
    assert states(sweep) == {"COMPLETED": 8}
    lives = [line for part in (sweep / "journal").glob("*.jsonl") for line in part.read_text().splitlines()]
    assert any(json.loads(line).get("restarts", 0) > 0 for line in lives)


def test_the_submitting_process_is_not_needed(bare_cluster: Cluster, shell: ClusterShell) -> None:
    process = shell.start_app("short_app", *SLURM, "i=range(4)", "hydra.launcher.wait=true", "sleep_s=1")
    workers_of = shell.cwd / "multirun" / "short_app"
    wait_for(lambda: '"job_id"' in "".join(p.read_text() for p in workers_of.glob("*/slurm/work-0.json")), timeout_s=60)
    process.send_signal(signal.SIGKILL)
    process.wait()
    shell.runyard("wait", check=0, timeout_s=120)
    assert states(shell.only_sweep("short_app")) == {"COMPLETED": 4}


def test_ctrl_c_leaves_a_sweep_that_is_waited_for_and_cancels_nothing(
    bare_cluster: Cluster, shell: ClusterShell
) -> None:
    process = shell.start_app("short_app", *SLURM, "i=range(3)", "hydra.launcher.wait=true", "sleep_s=2")
    wait_for(lambda: list((shell.cwd / "multirun").glob("short_app/*/slurm/work-0.json")), timeout_s=60)
    workers_running(shell, 1)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    shell.runyard("wait", check=0, timeout_s=120)
    assert states(shell.only_sweep("short_app")) == {"COMPLETED": 3}


# -- telling it what to do --------------------------------------------------------------------------------------------


def test_a_cancelled_sweep_can_be_taken_up_again(cluster: Cluster, shell: ClusterShell) -> None:
    # so slow that the commands come in time on a machine that is busy
    submit(shell, "i=range(6)", "sleep_s=4", "hydra.launcher.workers=2")
    sweep = shell.only_sweep("short_app")
    at_work = workers_running(shell, 2)
    refused = shell.runyard("resume", check=2)
    assert all(worker["name"] in refused.stderr for worker in at_work)
    shell.runyard("cancel", check=0)
    shell.runyard("wait", check=1)
    cancelled = states(sweep)
    assert cancelled["CANCELLED"] == 2
    done = {row["job"]: row["attempts"] for row in rows(sweep) if row["state"] == "COMPLETED"}
    assert read_json(sweep / "sweep.json")["state"] == "CANCELLED"
    shell.runyard("resume", "hydra.launcher.workers=6", check=0)
    shell.runyard("wait", check=0)
    assert states(sweep) == {"COMPLETED": 6}
    assert shell.only_sweep("short_app") == sweep
    assert all(row["attempts"] == done[row["job"]] for row in rows(sweep) if row["job"] in done)


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


def test_single_jobs_are_cancelled_while_the_others_go_on(bare_cluster: Cluster, shell: ClusterShell) -> None:
    submit(shell, "i=range(4)", "sleep_s=3", "hydra.launcher.workers=1")
    sweep = shell.only_sweep("short_app")
    workers_running(shell, 1)
    shell.runyard("cancel", "--jobs", "0,2", check=0)
    shell.runyard("wait", check=1)
    assert [row["state"] for row in rows(sweep)] == ["CANCELLED", "COMPLETED", "CANCELLED", "COMPLETED"]


def test_what_is_left_runs_here_from_the_frozen_code(bare_cluster: Cluster, shell: ClusterShell) -> None:
    program = shell.cwd / "mine.py"
    program.write_text((APPS / "short_app.py").read_text())
    shell.python("mine.py", *SLURM, "i=1,2", "fail_first=1", check=0)
    shell.runyard("wait", check=1)
    program.write_text("raise SystemExit('edited')\n")
    shell.runyard("resume", "--launcher", "local", check=0)
    assert states(shell.only_sweep("mine")) == {"COMPLETED": 2}


def test_what_was_submitted_is_what_runs(bare_cluster: Cluster, shell: ClusterShell) -> None:
    program = shell.cwd / "mine.py"
    program.write_text((APPS / "short_app.py").read_text())
    shell.python("mine.py", *SLURM, "i=1,2", "+hydra.launcher.begin=now+4", check=0)
    program.unlink()
    shell.runyard("wait", check=0)
    assert [row["square"] for row in rows(shell.only_sweep("mine"))] == ["1", "4"]
    done = shell.runyard("reproduce", "latest/1", "--to", "again", check=0)
    assert "equal" in done.stdout
    assert read_json(shell.cwd / "again" / "run.json")["metrics"] == {"square": 4}


# -- staying for it ---------------------------------------------------------------------------------------------------


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


# A sweeper that needs each batch's results, as optimizers do: it chooses the second batch by the first.
THEIR_SWEEPER = """
from hydra.core.config_store import ConfigStore
from hydra.plugins.sweeper import Sweeper
from hydra.core.plugins import Plugins


class BestOfSweeper(Sweeper):
    def setup(self, *, hydra_context, task_function, config):
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments):
        first = self.launcher.launch([[*arguments, f"i={i}"] for i in (2, 5)], initial_job_idx=0)
        best = max(job.return_value["square"] for job in first)
        second = self.launcher.launch([[*arguments, f"i={best}"]], initial_job_idx=2)
        print("found", second[0].return_value["square"])


ConfigStore.instance().store(
    group="hydra/sweeper",
    name="best_of",
    node={"_target_": "hydra_plugins.best_of.sweeper.BestOfSweeper"},
    provider="best_of",
)
"""


def test_a_sweeper_that_needs_results_is_refused_unless_it_waits_and_gets_them_then(
    bare_cluster: Cluster, shell: ClusterShell
) -> None:
    plugin = shell.cwd / "plugins" / "hydra_plugins" / "best_of"
    plugin.mkdir(parents=True)
    (plugin / "__init__.py").touch()
    (plugin / "sweeper.py").write_text(THEIR_SWEEPER)
    found = {"PYTHONPATH": str(shell.cwd / "plugins")}
    refused = submit(shell, "hydra/sweeper=best_of", app="marked_app", check=2, **found)
    assert "BestOfSweeper" in refused.stderr
    assert "hydra.launcher.wait=true" in refused.stderr
    assert bare_cluster.jobs() == []
    assert shell.sweeps("marked_app") == []
    done = submit(shell, "hydra/sweeper=best_of", "hydra.launcher.wait=true", app="marked_app", **found)
    assert "found 625" in done.stdout
    assert states(shell.only_sweep("marked_app")) == {"COMPLETED": 3}


# -- wrong input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["hydra.launcher.partition=nowhere"], ["hydra.launcher.partition", "main"]),
        (["hydra.launcher.mem_gb=900"], ["hydra.launcher.mem_gb"]),
        (["+hydra.launcher.partitoin=main"], ["partition"]),
        (["hydra.launcher.workers=0"], ["hydra.launcher.workers"]),
        (["hydra.launcher.isolation=inline"], ["+runyard=local"]),
    ],
)
def test_what_cannot_be_submitted_is_refused_and_leaves_nothing(
    bare_cluster: Cluster, shell: ClusterShell, words: list[str], told: list[str]
) -> None:
    done = submit(shell, "i=1,2", *words, check=2)
    assert all(word in done.stderr for word in (*told, "to do:"))
    assert "Traceback" not in done.stderr
    assert bare_cluster.jobs() == []
    assert shell.sweeps("short_app") == []


def test_without_sbatch_it_is_said_how_to_run_here(bare_cluster: Cluster, shell: ClusterShell) -> None:
    done = shell.app("short_app", *SLURM, "i=1,2", check=2, PATH="/nowhere")
    assert "sbatch" in done.stderr
    assert "+runyard=local" in done.stderr


def test_hydras_own_sweeper_gets_no_result_that_is_not_there(bare_cluster: Cluster, shell: ClusterShell) -> None:
    shell.app("short_app", "-m", "hydra/launcher=runyard_slurm", "hydra.sweep.dir=mine", "i=2,3", check=0)
    shell.runyard("wait", "mine", check=0)
    assert [row["square"] for row in rows(shell.cwd / "mine")] == ["4", "9"]
