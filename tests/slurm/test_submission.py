"""Arrays of workers on a real Slurm: what is submitted, what is refused, and what is seen of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.slurm.clusters import Cluster

from runyard.base import StorageError, UsageError
from runyard.execute import (
    SlurmTask,
    SlurmWatch,
    TaskState,
    WorkerArray,
    cancel_tasks,
    memory_kill_in,
    slurm_options,
    submit_arrays,
    task_of,
)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Callable[[Cluster], None]:
    """Lets this process's calls of Slurm go to a cluster."""

    def enter(cluster: Cluster) -> None:
        for name in ("SLURM_CONF", "PATH"):
            monkeypatch.setenv(name, cluster.environment[name])

    return enter


def array(folder: Path, *command: str, tasks: int = 1, after: tuple[str, ...] = (), **options: Any) -> WorkerArray:
    return WorkerArray(
        name="a worker's",
        options=slurm_options({"mem_gb": 1, **options}),
        tasks=tasks,
        command=command or ("true",),
        folder=folder,
        after=after,
    )


def submit(one: WorkerArray) -> int:
    [[submitted]] = submit_arrays([one], folder=one.folder)
    return submitted.job_id


def await_task(job_id: int, condition: Callable[[SlurmTask], bool], *, timeout_s: float = 60) -> SlurmTask:
    """The first task of an array, when it has come to something."""
    watch, deadline = SlurmWatch([job_id], names=[f"{job_id}_0"], least_s=0.2, most_s=0.5), time.monotonic() + timeout_s
    while True:
        task = task_of(watch.tasks(), f"{job_id}_0")
        if task is not None and condition(task):
            return task
        assert time.monotonic() < deadline, f"after {timeout_s:g} s: {task}"
        time.sleep(0.1)


def ended(task: SlurmTask) -> bool:
    return task.ended


def running(task: SlurmTask) -> bool:
    return task.state is TaskState.RUNNING


@pytest.mark.parametrize("name", ["plain", "it's 100% of #1", 'a "b" c', "größe %A"])
def test_logs_are_written_below_a_folder_of_any_name(
    bare_cluster: Cluster, here: Callable[[Cluster], None], tmp_path: Path, name: str
) -> None:
    here(bare_cluster)
    folder = tmp_path / name
    folder.mkdir()
    job_id = submit(array(folder, "sh", "-c", "echo out; echo err >&2; exit 3", after=('echo "ended $rc"',)))
    assert await_task(job_id, ended).state is TaskState.FAILED
    assert {"out", "err", "ended 3"} <= set((folder / f"{job_id}_0.log").read_text().splitlines())


def test_a_worker_has_the_processors_that_were_asked_for_on_every_rank(
    bare_cluster: Cluster, here: Callable[[Cluster], None], tmp_path: Path
) -> None:
    here(bare_cluster)
    words = "echo $SLURM_PROCID $SLURM_CPUS_PER_TASK $SLURM_NTASKS"
    options = {"nodes": 2, "tasks_per_node": 2, "cpus_per_task": 3, "export": "NONE"}
    job_id = submit(array(tmp_path, "/bin/sh", "-c", words, **options))
    assert await_task(job_id, ended).state is TaskState.COMPLETED
    lines = (tmp_path / f"{job_id}_0.log").read_text().splitlines()
    assert {f"{rank} 3 4" for rank in range(4)} <= set(lines)


def test_what_comes_after_a_worker_knows_that_the_job_was_cancelled(
    cluster: Cluster, here: Callable[[Cluster], None], tmp_path: Path
) -> None:
    here(cluster)
    job_id = submit(array(tmp_path, "sleep", "100", after=('echo "ended $rc $told"',)))
    await_task(job_id, running)
    time.sleep(1)  # until the shell has come to the command
    cancel_tasks([f"{job_id}_0"])
    assert await_task(job_id, ended).state is TaskState.CANCELLED
    assert "ended 143 told" in (tmp_path / f"{job_id}_0.log").read_text()


def test_a_signal_reaches_the_worker_and_unknown_tasks_are_passed_over(
    bare_cluster: Cluster, here: Callable[[Cluster], None], tmp_path: Path
) -> None:
    here(bare_cluster)
    trap = "trap 'echo got it; exit 5' USR2; echo ready; while :; do sleep 0.1; done"
    job_id = submit(array(tmp_path, "bash", "-c", trap))
    log = tmp_path / f"{job_id}_0.log"
    await_task(job_id, lambda task: log.exists() and "ready" in log.read_text())
    cancel_tasks(["999999", "999998_1"])
    cancel_tasks([f"{job_id}_0"], signal="USR2")
    assert await_task(job_id, ended).state is TaskState.FAILED
    assert "got it" in log.read_text()


def test_a_kill_for_want_of_memory_is_told_by_the_log(
    accounting_cluster: Cluster, here: Callable[[Cluster], None], tmp_path: Path
) -> None:
    here(accounting_cluster)
    program = "import time; x = bytearray(300 * 2**20); time.sleep(60)"
    job_id = submit(array(tmp_path, sys.executable, "-c", program, mem_gb=0.05))
    assert await_task(job_id, ended).state in (TaskState.FAILED, TaskState.OUT_OF_MEMORY)
    assert memory_kill_in((tmp_path / f"{job_id}_0.log").read_text())


def test_a_task_that_was_queued_again_has_a_count_of_it_also_when_the_queue_has_forgotten_it(
    accounting_cluster: Cluster, here: Callable[[Cluster], None], tmp_path: Path
) -> None:
    here(accounting_cluster)
    again = 'if [ -z "$SLURM_RESTART_COUNT" ]; then scontrol requeue $SLURM_JOB_ID && sleep 60; fi'
    job_id = submit(array(tmp_path, "sh", "-c", "exit 4", after=(again,)))
    waiting = await_task(job_id, lambda task: task.state is TaskState.REQUEUED)
    assert (waiting.restarts, waiting.ended) == (1, False)
    assert await_task(job_id, ended).restarts == 1

    def forgetful(argv: Any) -> str:
        return "" if argv[0] == "squeue" else accounting_cluster.run(*argv)

    def told() -> SlurmTask:
        return SlurmWatch([job_id], run=forgetful).tasks()[f"{job_id}_0"]

    deadline = time.monotonic() + 30
    while told().gone and time.monotonic() < deadline:  # accounting lags
        time.sleep(0.2)
    assert (told().state, told().restarts) == (TaskState.FAILED, 1)


def test_every_task_of_a_large_array_is_known_by_one_question(
    bare_cluster: Cluster, here: Callable[[Cluster], None], tmp_path: Path
) -> None:
    here(bare_cluster)
    job_id = submit(array(tmp_path, tasks=1001, hold=True))
    watch = SlurmWatch([job_id])
    assert {watch.tasks()[f"{job_id}_{index}"].state for index in range(1001)} == {TaskState.QUEUED}
    assert watch.calls == 1


def test_while_the_controller_is_down_states_stay_and_it_is_said(
    bare_cluster: Cluster, here: Callable[[Cluster], None], tmp_path: Path
) -> None:
    here(bare_cluster)
    job_id = submit(array(tmp_path, "sleep", "100"))
    watch = SlurmWatch([job_id], least_s=0)
    deadline = time.monotonic() + 30
    while watch.tasks()[f"{job_id}_0"].state is not TaskState.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    bare_cluster.stop_controller()
    assert watch.tasks(now_wanted=True)[f"{job_id}_0"].state is TaskState.RUNNING
    assert watch.stale_since is not None
    with pytest.raises(UsageError, match="Slurm does not answer"):
        submit(array(tmp_path))
    bare_cluster.start_controller()
    watch = SlurmWatch([job_id])
    assert watch.tasks()[f"{job_id}_0"].state is TaskState.RUNNING


@pytest.mark.parametrize(
    ("options", "where", "todo"),
    [
        ({"partition": "mian"}, "partition", "did you mean 'main'"),
        ({"mem_gb": 9000}, "mem_gb", "at most"),
        ({"nodes": 99}, "nodes", "at most 4"),
        ({"cpus_per_task": 999}, "cpus_per_task", "at most"),
        ({"tasks_per_node": 99}, "tasks_per_node", "at most"),
        ({"gpus_per_node": 99}, "gpus_per_node", "sinfo"),
        ({"gres": "foo:1"}, "gres", "sinfo"),
        ({"constraint": "fast"}, "constraint", "sinfo"),
        ({"nodelist": "n77"}, "nodelist", "sinfo"),
        ({"exclude": "n77"}, "exclude", "sinfo"),
        ({"reservation": "mine"}, "reservation", "scontrol"),
        ({"licenses": "matlab"}, "licenses", "scontrol"),
        ({"mail_type": "SOON"}, "mail_type", "man sbatch"),
        ({"begin": "soon"}, "begin", "man sbatch"),
        ({"additional_parameters": {"no_such_option": 1}}, "no_such_option", "man sbatch"),
    ],
)
def test_what_slurm_refuses_is_said_with_its_key_and_nothing_is_left(
    bare_cluster: Cluster,
    here: Callable[[Cluster], None],
    tmp_path: Path,
    options: dict[str, Any],
    where: str,
    todo: str,
) -> None:
    here(bare_cluster)
    with pytest.raises(UsageError) as caught:
        submit_arrays([array(tmp_path, "sleep", "100", hold=True), array(tmp_path, **options)], folder=tmp_path)
    assert caught.value.where == f"hydra.launcher.{where}"
    assert todo in caught.value.todo
    assert list(tmp_path.iterdir()) == []
    bare_cluster.wait_idle()


def test_nodes_that_are_down_today_are_waited_for(
    bare_cluster: Cluster, here: Callable[[Cluster], None], tmp_path: Path
) -> None:
    here(bare_cluster)
    for node in bare_cluster.nodes:
        bare_cluster.down_node(node)
    job_id = submit(array(tmp_path))
    assert await_task(job_id, lambda task: True).state is TaskState.QUEUED
    for node in bare_cluster.nodes:
        bare_cluster.resume_node(node)
    assert await_task(job_id, ended).state is TaskState.COMPLETED


def test_from_inside_an_allocation_one_submits_as_from_outside(
    bare_cluster: Cluster, here: Callable[[Cluster], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here(bare_cluster)
    outer = {"SLURM_JOB_ID": "7", "SBATCH_PARTITION": "nope", "SLURM_CPUS_PER_TASK": "9", "CUDA_VISIBLE_DEVICES": "3"}
    for name, value in outer.items():
        monkeypatch.setenv(name, value)
    job_id = submit(array(tmp_path, "sh", "-c", 'echo "see $SLURM_CPUS_PER_TASK,$CUDA_VISIBLE_DEVICES."'))
    assert await_task(job_id, ended).state is TaskState.COMPLETED
    assert "see ,." in (tmp_path / f"{job_id}_0.log").read_text()


def test_a_script_that_cannot_be_written_is_an_error_of_the_disk(
    bare_cluster: Cluster, here: Callable[[Cluster], None], tmp_path: Path
) -> None:
    here(bare_cluster)
    with pytest.raises(StorageError, match="make room"):
        submit_arrays([array(tmp_path)], folder=tmp_path / "missing")
