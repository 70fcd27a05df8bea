from __future__ import annotations

import dataclasses
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runyard.base import UsageError
from runyard.execute import FIRST_VARIABLE, WorkerArray, allocation_of, sbatch_script, slurm_options
from runyard.execute.slurm.command import slurm_environment
from runyard.execute.slurm.submission import split


def array(folder: Path = Path("/sweeps/a sweep/slurm"), **changes: Any) -> WorkerArray:
    given: dict[str, Any] = {
        "name": "runyard-train",
        "options": slurm_options({"partition": "gpu", "mem_gb": 8, "cpus_per_task": 3, "nice": 5}),
        "tasks": 4,
        "command": ("/usr/bin/python3", "-c", "print('it''s')"),
        "folder": folder,
    }
    return WorkerArray(**{**given, **changes})


def lines(script: str) -> set[str]:
    return {line for line in script.splitlines() if line.startswith("#SBATCH")}


def test_the_script_asks_for_what_was_given() -> None:
    asked = lines(sbatch_script(array()))
    assert {
        "#SBATCH --partition=gpu",
        "#SBATCH --mem=8GB",
        "#SBATCH --cpus-per-task=3",
        "#SBATCH --nice=5",
        "#SBATCH --time=60",
        "#SBATCH --array=0-3%4",
        "#SBATCH --signal=USR2@120",
        "#SBATCH --requeue",
    } <= asked
    assert not any("wckey" in line for line in asked)


def test_logs_go_to_a_file_for_each_worker_below_any_folder() -> None:
    asked = lines(sbatch_script(array(Path("/sweeps/100% sure"))))
    assert "#SBATCH '--output=/sweeps/100%% sure/%A_%a.log'" in asked or any(
        "/sweeps/100%% sure/%A_%a.log" in line for line in asked
    )


def test_a_worker_may_wait_for_another_and_not_be_queued_again() -> None:
    asked = lines(sbatch_script(array(dependency="aftercorr:12", requeue=False)))
    assert {"#SBATCH --dependency=aftercorr:12", "#SBATCH --no-requeue"} <= asked


def test_a_folder_that_slurm_cannot_write_to_is_refused() -> None:
    with pytest.raises(UsageError, match="backslash"):
        sbatch_script(array(Path("/sweeps/a\\b")))


def run_script(tmp_path: Path, command: tuple[str, ...], after: tuple[str, ...], **options: Any) -> tuple[int, str]:
    """Runs a script with an srun that does no more than start the command."""
    srun = tmp_path / "srun"
    srun.write_text('#!/bin/bash\nwhile [ "${1:0:2}" = -- ]; do shift; done\nexec "$@"\n')
    srun.chmod(0o755)
    script = tmp_path / "script.sh"
    script.write_text(
        sbatch_script(
            array(tmp_path, command=command, after=after, options=slurm_options(options), environment={"NAME": "a b"})
        )
    )
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", str(script)], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_what_comes_after_the_command_knows_its_exit_code_and_the_script_ends_with_it(tmp_path: Path) -> None:
    found = run_script(tmp_path, ("bash", "-c", 'echo "name $NAME"; exit 7'), ('echo "ended $rc"',))
    assert found == (7, "name a b\nended 7\n")


def test_a_killed_command_is_told_by_its_signal(tmp_path: Path) -> None:
    code, said = run_script(tmp_path, ("bash", "-c", "kill -9 $$"), ('echo "ended $rc"',))
    assert (code, said.splitlines()[-1]) == (137, "ended 137")


def test_the_users_own_lines_come_before_and_after_and_cannot_hide_the_exit_code(tmp_path: Path) -> None:
    code, said = run_script(
        tmp_path,
        ("bash", "-c", "echo work; exit 3"),
        ("echo ours",),
        setup=["set -e", "echo before"],
        teardown=["exit 0"],
    )
    assert (code, said) == (3, "before\nwork\nours\n")


def test_an_array_above_the_limit_is_split_and_its_workers_know_their_place() -> None:
    parts = split(array(tasks=10), 4)
    assert [part.tasks for part in parts] == [4, 4, 2]
    assert [part.environment[FIRST_VARIABLE] for part in parts] == ["0", "4", "8"]
    assert split(array(tasks=4), 4) == [array(tasks=4)]


def test_variables_of_an_outer_allocation_do_not_reach_slurm() -> None:
    outer = {
        "SLURM_JOB_ID": "7",
        "SLURM_CONF": "/etc/slurm.conf",
        "SBATCH_PARTITION": "old",
        "SRUN_DEBUG": "1",
        "CUDA_VISIBLE_DEVICES": "0",
        "HOME": "/home/me",
    }
    assert slurm_environment(outer) == {"SLURM_CONF": "/etc/slurm.conf", "HOME": "/home/me"}
    assert slurm_environment({"CUDA_VISIBLE_DEVICES": "0"}) == {"CUDA_VISIBLE_DEVICES": "0"}


def test_a_process_knows_its_allocation() -> None:
    assert allocation_of({}) is None
    found = allocation_of(
        {
            "SLURM_JOB_ID": "60",
            "SLURM_ARRAY_JOB_ID": "56",
            "SLURM_ARRAY_TASK_ID": "3",
            "SLURM_RESTART_COUNT": "2",
            "SLURM_PROCID": "1",
            "SLURMD_NODENAME": "n2",
        }
    )
    assert found is not None
    assert (found.job_id, found.index, found.restarts, found.rank, found.node) == ("56_3", 3, 2, 1, "n2")
    assert dataclasses.replace(found, job_id="") != found
