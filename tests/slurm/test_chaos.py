"""Workers, nodes and Slurm itself are slain: every job completes once all the same, and the record says how."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import read_json, wait_for
from tests.slurm.clusters import Cluster, ClusterShell
from tests.slurm.test_packing import marks, workers_told
from tests.slurm.test_sweeps import array_of, rows, states, submit, workers_running

#: ends of an attempt that another one follows up.
INTERRUPTED = ("LOST", "PREEMPTED")


def attempts_of(sweep: Path, job: int) -> list[dict[str, Any]]:
    attempts: list[dict[str, Any]] = read_json(sweep / str(job) / "run.json")["attempts"]
    return attempts


def assert_each_completed_once(shell: ClusterShell, sweep: Path, jobs: int) -> None:
    """Every job of marked_app has one complete attempt, by its record and by its marks, and others have a cause."""
    found = rows(sweep)
    assert [(row["job"], row["state"], row["square"]) for row in found] == [
        (str(job), "COMPLETED", str(job**2)) for job in range(jobs)
    ]
    assert sorted(
        line.split(",")[0] for line in (sweep / "tables" / "rows.csv").read_text().splitlines()[1:]
    ) == sorted(str(job) for job in range(jobs))
    for job in range(jobs):
        *before, last = attempts_of(sweep, job)
        assert last["state"] == "COMPLETED"
        assert [a["n"] for a in (*before, last)] == list(range(1, len(before) + 2))
        for attempt in before:
            assert attempt["state"] in INTERRUPTED
            # of one that nobody saw end it is not known when it did
            assert attempt["ended_at"] or attempt["state"] == "LOST"
            assert attempt["error"]["message"]
        # an attempt that is slain may not have come to its first mark; nobody begins without an attempt on record
        assert 1 <= marks(shell, f"begun-{job}") <= len(before) + 1
        # a worker may be slain between its job's last line and the record of that
        assert 1 <= marks(shell, f"ended-{job}") <= (2 if before else 1)


def pid_of(sweep: Path, worker: str) -> int:
    """The process of a worker, in its last life."""
    return int([told["pid"] for told in workers_told(sweep) if told["worker"] == worker][-1])


def processes_of(cluster: Cluster, worker: str) -> list[int]:
    """All processes of an array task, by their environment; the batch script, which is the oldest, first."""
    array, index = worker.split("_")
    signs = [f"SLURM_CONF={cluster.conf}", f"SLURM_ARRAY_JOB_ID={array}", f"SLURM_ARRAY_TASK_ID={index}"]
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            environment = (folder / "environ").read_bytes().split(b"\0")
            if all(sign.encode() in environment for sign in signs):
                # the 22nd field, counted from behind the name, which may hold anything
                began = int((folder / "stat").read_text().rpartition(")")[2].split()[19])
                found[int(folder.name)] = began
    return sorted(found, key=lambda pid: found[pid])


def slay(cluster: Cluster, worker: str, *, only: int | None = None) -> bool:
    """SIGKILL to the processes of an array task, or to one of them; never to another that has got its number since."""
    pids = [pid for pid in processes_of(cluster, worker) if only in (None, pid)]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(pids)


def hangs(shell: ClusterShell, sweep: Path, job: int) -> dict[str, Any]:
    """The worker that runs a job, once that hangs."""
    wait_for(lambda: marks(shell, f"begun-{job}"), timeout_s=60)

    def found() -> dict[str, Any] | None:
        return next((worker for worker in workers_running(shell, 1) if job in worker["jobs"]), None)

    worker: dict[str, Any] = wait_for(found, timeout_s=60)
    return worker


# -- one after another, as chance has it ------------------------------------------------------------------------------


def kill_worker(cluster: Cluster, sweep: Path, worker: dict[str, Any]) -> None:
    slay(cluster, worker["name"], only=pid_of(sweep, worker["name"]))


def kill_task(cluster: Cluster, sweep: Path, worker: dict[str, Any]) -> None:
    cluster.scancel("--signal=KILL", worker["name"])


def cancel_task(cluster: Cluster, sweep: Path, worker: dict[str, Any]) -> None:
    cluster.scancel(worker["name"])


def down_node(cluster: Cluster, sweep: Path, worker: dict[str, Any]) -> None:
    cluster.down_node(worker["node"])


def restart_slurm(cluster: Cluster, sweep: Path, worker: dict[str, Any]) -> None:
    cluster.restart_controller()


def kill_job(cluster: Cluster, sweep: Path, worker: dict[str, Any]) -> None:
    """Not the worker's end: its scheduler's word that the machine is needed."""
    cluster.scancel("--signal=USR2", worker["name"])


HARMS: list[Callable[[Cluster, Path, dict[str, Any]], None]] = [
    kill_worker,
    kill_task,
    cancel_task,
    down_node,
    restart_slurm,
    kill_job,
]


@pytest.mark.parametrize("seed", [1])
def test_whatever_befalls_a_sweep_every_job_completes_once(cluster: Cluster, shell: ClusterShell, seed: int) -> None:
    cluster.needs_to_be_ours("nodes go down")
    submit(
        shell,
        "i=range(40)",
        "sleep_s=0.7",
        "hydra.launcher.workers=4",
        "hydra.launcher.max_requeues=20",
        app="marked_app",
    )
    sweep = shell.only_sweep("marked_app")
    chance = random.Random(seed)
    harms = list(HARMS)
    chance.shuffle(harms)
    for harm in harms:
        busy = workers_running(shell, 1)
        harm(cluster, sweep, chance.choice(busy))
    for node, state in cluster.node_states().items():
        if state.startswith("down"):
            cluster.resume_node(node)
    shell.runyard("wait", check=0, timeout_s=200)
    assert_each_completed_once(shell, sweep, 40)
    assert sum(len(attempts_of(sweep, job)) for job in range(40)) > 40
    assert any(told["restarts"] > 0 for told in workers_told(sweep))


# -- each by itself, while a job is under way that would never end -----------------------------------------------------

ALONE = ["i=range(3)", "hang_at=1", "hydra.launcher.workers=1"]


@pytest.mark.parametrize("how", ["process", "allocation"])
def test_a_worker_that_dies_without_a_word_is_noticed_and_its_job_is_lost_but_for_the_next_attempt(
    cluster: Cluster, shell: ClusterShell, how: str
) -> None:
    submit(shell, *ALONE, "hydra.launcher.max_requeues=0", app="marked_app")
    sweep = shell.only_sweep("marked_app")
    worker = hangs(shell, sweep, 1)
    if how == "process":
        assert slay(cluster, worker["name"], only=pid_of(sweep, worker["name"]))
    else:  # its batch script dies with it, and so nobody tells of its end but Slurm
        assert slay(cluster, worker["name"])
        assert not (sweep / "slurm" / f"{worker['name']}.end").exists()
    shell.runyard("wait", "--timeout", "100", check=1)
    assert [row["state"] for row in rows(sweep)] == ["COMPLETED", "LOST", "PENDING"]
    assert worker["name"] in attempts_of(sweep, 1)[0]["error"]["message"]
    shell.runyard("resume", check=0)
    shell.runyard("wait", check=0)
    assert_each_completed_once(shell, sweep, 3)
    assert [a["state"] for a in attempts_of(sweep, 1)] == ["LOST", "COMPLETED"]
    assert len(attempts_of(sweep, 0)) == 1


def test_a_preempted_job_is_recorded_as_such_and_goes_on_in_its_directory(
    cluster: Cluster, shell: ClusterShell
) -> None:
    submit(shell, *ALONE, "hydra.launcher.partition=low", "hydra.launcher.grace_s=1", app="marked_app")
    sweep = shell.only_sweep("marked_app")
    hangs(shell, sweep, 1)
    cluster.sbatch("-p", "high", f"-N{len(cluster.nodes)}", "--exclusive", "--wrap", "sleep 1", cwd=shell.cwd)
    shell.runyard("wait", check=0, timeout_s=120)
    assert_each_completed_once(shell, sweep, 3)
    first, second = attempts_of(sweep, 1)
    assert (first["state"], second["state"]) == ("PREEMPTED", "COMPLETED")
    assert len(attempts_of(sweep, 0)) == len(attempts_of(sweep, 2)) == 1
    assert workers_told(sweep)[-1]["restarts"] == 1
    assert cluster.job(f"{array_of(sweep)}_0")["Restarts"] == "1"


def test_a_time_limit_that_comes_while_a_job_runs_hands_it_to_the_next_life_of_the_worker(
    bare_cluster: Cluster, shell: ClusterShell
) -> None:
    """The slow one: Slurm looks at limits twice a minute, and knows none below a minute."""
    limit = ["hydra.launcher.timeout_min=1", "hydra.launcher.signal_delay_s=30", "hydra.launcher.grace_s=20"]
    submit(shell, *ALONE, *limit, app="marked_app")
    sweep = shell.only_sweep("marked_app")
    shell.runyard("wait", check=0, timeout_s=200)
    assert_each_completed_once(shell, sweep, 3)
    first, second = attempts_of(sweep, 1)
    assert (first["state"], second["state"]) == ("PREEMPTED", "COMPLETED")
    assert len(attempts_of(sweep, 2)) == 1
    assert workers_told(sweep)[-1]["restarts"] == 1


def test_a_sweep_goes_on_while_slurm_does_not_answer(bare_cluster: Cluster, shell: ClusterShell) -> None:
    cluster = bare_cluster
    cluster.needs_to_be_ours("Slurm's controller is stopped")
    submit(shell, "i=range(12)", "sleep_s=0.5", "hydra.launcher.workers=2", app="marked_app")
    sweep = shell.only_sweep("marked_app")
    wait_for(lambda: marks(shell, "begun-0"), timeout_s=60)
    waiting = shell.start("-m", "runyard", "wait")
    cluster.stop_controller()
    wait_for(lambda: all(marks(shell, f"ended-{job}") for job in range(12)), timeout_s=60)
    told = json.loads(shell.runyard("status", "--json", check=0).stdout)
    assert told["counts"].get("LOST", 0) == 0
    time.sleep(1)
    cluster.start_controller()
    assert waiting.wait(timeout=100) == 0
    # Slurm takes minutes to believe that a task is over which ended meanwhile; the next test does not wait for that
    for node in cluster.nodes:
        cluster.down_node(node)
    assert states(sweep) == {"COMPLETED": 12}
    assert_each_completed_once(shell, sweep, 12)
    assert all(len(attempts_of(sweep, job)) == 1 for job in range(12))


def test_a_submission_outlives_the_kill_of_the_command_that_made_it(bare_cluster: Cluster, shell: ClusterShell) -> None:
    words = ["-m", "+runyard=slurm", "i=range(4)", "sleep_s=0.5", "hydra.launcher.workers=2"]
    process = shell.start_app("marked_app", *words)
    wait_for(bare_cluster.jobs, timeout_s=60)
    process.kill()
    process.wait()
    sweep = shell.only_sweep("marked_app")
    wait_for(lambda: marks(shell, "ended-3"), timeout_s=60)
    bare_cluster.wait_idle()
    shell.runyard("wait", "--timeout", "60", check=0)
    assert_each_completed_once(shell, sweep, 4)
