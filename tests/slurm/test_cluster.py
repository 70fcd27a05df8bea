"""The cluster does what the other tests of this folder lean on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from tests.conftest import REPO, wait_for
from tests.slurm.clusters import Cluster, clean_environment, end_cluster, start_cluster, wants_users_cluster

# A job that notes its signal, and at its second start ends at once.
HEEDS_USR2 = """#!/bin/bash
trap 'echo warned >> signals' USR2
[ "${SLURM_RESTART_COUNT:-0}" = 0 ] || exit 0
touch begun
while true; do sleep 0.1; done
"""


def test_a_job_runs_on_a_node_and_its_end_is_seen(cluster, tmp_path):
    job = cluster.sbatch("-o", "out", "--wrap", "echo $SLURMD_NODENAME", cwd=tmp_path)
    assert cluster.await_job(job, "COMPLETED")["ExitCode"] == "0:0"
    assert (tmp_path / "out").read_text().strip() in cluster.nodes


def test_a_job_that_fails_is_seen_with_its_exit_code(cluster, tmp_path):
    job = cluster.sbatch("--wrap", "exit 7", cwd=tmp_path)
    assert cluster.await_job(job, "FAILED")["ExitCode"] == "7:0"


def test_every_element_of_an_array_runs_once(cluster, tmp_path):
    cluster.sbatch("--array=0-7%4", "-o", "out.%a", "--wrap", "echo $SLURM_ARRAY_TASK_ID", cwd=tmp_path)
    cluster.wait_idle()
    assert sorted(path.read_text() for path in tmp_path.glob("out.*")) == [f"{number}\n" for number in range(8)]


def test_tests_that_find_no_cluster_do_not_look_green(monkeypatch):
    monkeypatch.setenv("RUNYARD_TEST_CLUSTER", "1")
    monkeypatch.setenv("PATH", "/nowhere")
    done = subprocess.run([sys.executable, "-m", "pytest", __file__], cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 1
    assert "the Slurm tests did not run: RUNYARD_TEST_CLUSTER=1 asks for your cluster" in done.stdout.splitlines()[-1]


def test_commands_do_not_inherit_an_allocation_around_the_tests(monkeypatch):
    monkeypatch.setenv("SLURM_CONF", "/etc/slurm/slurm.conf")
    for name in ("SLURM_JOB_ID", "SLURMD_NODENAME", "SBATCH_PARTITION", "SQUEUE_FORMAT"):
        monkeypatch.setenv(name, "outer")
    environment = clean_environment()
    assert "outer" not in environment.values()
    assert environment["SLURM_CONF"] == "/etc/slurm/slurm.conf"


def test_accounting_remembers_how_a_job_ended(accounting_cluster, tmp_path):
    job = accounting_cluster.sbatch("--wrap", "exit 7", cwd=tmp_path)
    wait_for(lambda: accounting_cluster.sacct("-n", "-X", "-P", "-o", "State,ExitCode", "-j", job) == "FAILED|7:0\n")


def test_without_accounting_sacct_refuses(bare_cluster, tmp_path):
    with pytest.raises(AssertionError, match="accounting storage is disabled"):
        bare_cluster.sacct("-n")


def test_a_requeued_job_starts_again(bare_cluster, tmp_path):
    job = bare_cluster.sbatch(_script(tmp_path), cwd=tmp_path)
    wait_for((tmp_path / "begun").exists)
    bare_cluster.scontrol("requeue", job)
    assert bare_cluster.await_job(job, "COMPLETED")["Restarts"] == "1"


def test_a_preempted_job_is_warned_and_starts_again(accounting_cluster, tmp_path):
    accounting_cluster.needs_to_be_ours("a partition that is preempted")
    everywhere = ["-N", str(len(accounting_cluster.nodes)), "--exclusive"]
    low = accounting_cluster.sbatch(
        "-p", "low", *everywhere, "-t", "60", "--signal=B:USR2@30", _script(tmp_path), cwd=tmp_path
    )
    wait_for((tmp_path / "begun").exists)
    high = accounting_cluster.sbatch("-p", "high", *everywhere, "--wrap", "true", cwd=tmp_path)
    accounting_cluster.await_job(high, "COMPLETED")
    assert (tmp_path / "signals").read_text() == "warned\n"
    assert accounting_cluster.await_job(low, "COMPLETED")["Restarts"] == "1"
    states = accounting_cluster.sacct("-D", "-n", "-X", "-P", "-o", "State", "-j", low).split()
    assert "PREEMPTED" in states


def test_a_job_whose_node_dies_starts_again_on_another(bare_cluster, tmp_path):
    job = bare_cluster.sbatch(_script(tmp_path), cwd=tmp_path)
    wait_for((tmp_path / "begun").exists)
    node = bare_cluster.job(job)["BatchHost"]
    bare_cluster.kill_node(node)
    seen = bare_cluster.await_job(job, "COMPLETED")
    assert seen["Restarts"] == "1"
    assert seen["BatchHost"] != node
    bare_cluster.start_node(node)
    wait_for(lambda: bare_cluster.node_states()[node] == "idle")


def test_a_node_that_is_said_to_be_down_serves_again_when_resumed(bare_cluster, tmp_path):
    bare_cluster.down_node("n2")
    assert bare_cluster.node_states()["n2"].rstrip("*") == "down"
    bare_cluster.resume_node("n2")
    job = bare_cluster.sbatch("-w", "n2", "--wrap", "true", cwd=tmp_path)
    bare_cluster.await_job(job, "COMPLETED")


def test_jobs_and_queue_outlive_the_controller(bare_cluster, tmp_path):
    running = bare_cluster.sbatch("--wrap", "touch begun; until [ -e go ]; do sleep 0.1; done", cwd=tmp_path)
    wait_for((tmp_path / "begun").exists)
    waiting = bare_cluster.sbatch("-d", f"afterok:{running}", "--wrap", "true", cwd=tmp_path)
    bare_cluster.stop_controller()
    (tmp_path / "go").touch()
    bare_cluster.start_controller()
    bare_cluster.await_job(waiting, "COMPLETED")
    assert bare_cluster.job(running)["Restarts"] == "0"


@pytest.fixture
def another_cluster(tmp_path) -> Iterator[Callable[..., Cluster]]:
    """Starts one more cluster, small and without accounting; it is taken down after the test."""
    started: list[Cluster] = []

    def start(**settings: str) -> Cluster:
        if wants_users_cluster():
            pytest.skip("a cluster is not started beside one that is not the tests' own")
        started.append(start_cluster(tmp_path, accounting=False, SLURM_UP_NODES="1", **settings))
        return started[-1]

    yield start
    for cluster in started:
        end_cluster(cluster, keep_logs=False)


def test_going_down_a_cluster_ends_its_own_daemons_and_jobs_only(bare_cluster, another_cluster, tmp_path):
    other = another_cluster()
    kept = bare_cluster.sbatch("--wrap", "sleep 60", cwd=tmp_path)
    gone = other.sbatch("--wrap", "sleep 60", cwd=tmp_path)
    for cluster, job in ((bare_cluster, kept), (other, gone)):
        cluster.await_job(job, "RUNNING")
    assert other.conf != bare_cluster.conf
    assert _processes_of(other)
    end_cluster(other, keep_logs=True)
    wait_for(lambda: not _processes_of(other))
    assert bare_cluster.job(kept)["JobState"] == "RUNNING"
    assert set(bare_cluster.node_states().values()) <= {"idle", "mixed"}


def test_a_cluster_goes_down_with_the_process_that_it_was_started_for(another_cluster):
    with subprocess.Popen(["sleep", "100"]) as process:
        try:
            cluster = another_cluster(SLURM_UP_FOR=str(process.pid))
            assert _processes_of(cluster)
        finally:
            process.kill()
    wait_for(lambda: not _processes_of(cluster))


def test_arrays_may_be_limited(another_cluster, tmp_path):
    cluster = another_cluster(SLURM_UP_MAX_ARRAY="5")
    cluster.sbatch("--array=0-4", "--wrap", "true", cwd=tmp_path)
    with pytest.raises(AssertionError, match="Invalid job array specification"):
        cluster.sbatch("--array=0-5", "--wrap", "true", cwd=tmp_path)


def _script(folder) -> str:
    path = folder / "job.sh"
    path.write_text(HEEDS_USR2)
    return str(path)


def _processes_of(cluster: Cluster) -> list[str]:
    """Programs under way that have a throwaway cluster's folder in their command line or environment."""
    mark, found = f"{cluster.folder}/".encode(), []
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", "rb") as line, open(f"/proc/{number}/environ", "rb") as environ:
                if mark in line.read() + environ.read():
                    found.append(number)
        except OSError:
            continue  # it ended meanwhile
    return found
