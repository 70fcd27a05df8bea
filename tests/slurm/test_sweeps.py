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
from tests.conftest import APPS, read_json, wait_for
from tests.slurm.clusters import Cluster, ClusterShell

SLURM = ["-m", "+runyard=slurm"]
#: of a sweep in Slurm's queue, what differs from the same one elsewhere.
OF_THE_RUN = ("seconds", "run_dir")


def rows(sweep: Path) -> list[dict[str, str]]:
    with (sweep / "results.csv").open() as file:
        return list(csv.DictReader(file))


def results(sweep: Path) -> list[dict[str, str]]:
    """Rows of the results, less what may differ between two runs of one job."""
    return [{key: value for key, value in row.items() if key not in OF_THE_RUN} for row in rows(sweep)]


def submit(shell: ClusterShell, *words: str, app: str = "short_app", check: int = 0) -> Any:
    return shell.app(app, *SLURM, *words, check=check)


def array_of(sweep: Path) -> str:
    return str(read_json(sweep / "slurm" / "work-0.json")["arrays"][0]["job_id"])


def states(sweep: Path) -> Counter[str]:
    return Counter(row["state"] for row in rows(sweep))


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
    submit(shell, "i=1,2", "fail_first=1", "+hydra.launcher.hold=true")
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
    assert not (shell.cwd / "followed").exists()


def test_on_request_a_failed_job_leaves_its_allocation_well(bare_cluster: Cluster, shell: ClusterShell) -> None:
    submit(shell, "i=7,1", "hydra.launcher.fail_allocation=false", app="their_app")
    shell.runyard("wait", check=1)
    array = array_of(shell.only_sweep("their_app"))
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
    submit(shell, "i=range(6)", "sleep_s=4", "hydra.launcher.workers=2")
    sweep = shell.only_sweep("short_app")
    workers_running(shell, 2)
    shell.runyard("resume", check=2)
    shell.runyard("cancel", check=0)
    shell.runyard("wait", check=1)
    cancelled = states(sweep)
    assert cancelled["CANCELLED"] == 2
    assert read_json(sweep / "sweep.json")["state"] == "CANCELLED"
    shell.runyard("resume", "hydra.launcher.workers=4", check=0)
    shell.runyard("wait", check=0)
    assert states(sweep) == {"COMPLETED": 6}


def test_single_jobs_are_cancelled_while_the_others_go_on(bare_cluster: Cluster, shell: ClusterShell) -> None:
    submit(shell, "i=range(4)", "sleep_s=6", "hydra.launcher.workers=1")
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
