from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from runyard.base import State
from runyard.cli.logs import _start
from runyard.record import RunPaths, write_run

from .conftest import MakeSweep, Runyard, a_run

COMPLETED, FAILED, PENDING, RUNNING = State.COMPLETED, State.FAILED, State.PENDING, State.RUNNING
ID = "20260131T120000Z-abc1234"


@pytest.mark.parametrize("arguments", [[ID, "2"], [f"{ID}/2"], ["2"], ["latest", "2"], [f"multirun/mnist/{ID}/2"]])
def test_the_output_of_a_job_is_printed(arguments: list[str], runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep()
    lines = runyard("logs", *arguments).stdout.splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("job 2 line 1", "job 2 line 30", 30)


def test_only_the_end_can_be_asked_for(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep()
    assert runyard("logs", "2", "--tail", "2").stdout == "job 2 line 29\njob 2 line 30\n"
    assert runyard("logs", "2", "-n", "0").stdout == ""
    assert len(runyard("logs", "2", "-n", "99").stdout.splitlines()) == 30
    assert json.loads(runyard("logs", "2", "-n", "1", "--json").stdout)["text"] == "job 2 line 30\n"


@pytest.mark.parametrize("text", ["", "\n", "a", "a\n", "a\nb", "a\nb\n", "\n\n\n", "a\n\nb\n", "x" * 70_000 + "\ny\n"])
@pytest.mark.parametrize("tail", [0, 1, 2, 3, 10])
def test_the_last_lines_are_those_that_tail_would_print(text: str, tail: int, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(text)
    expected = "".join(text.splitlines(keepends=True)[-tail:]) if tail else ""
    assert path.read_text()[_start(path, tail) :] == expected


def test_of_a_sweep_the_failed_jobs_and_the_end_of_the_first_are_printed(
    runyard: Runyard, make_sweep: MakeSweep
) -> None:
    make_sweep(states=[COMPLETED, FAILED, FAILED])
    lines = runyard("logs").stdout.splitlines()
    assert lines[:2] == [
        f"job 1  FAILED  ValueError: boom in job 1  multirun/mnist/{ID}/1/output.log",
        f"job 2  FAILED  ValueError: boom in job 2  multirun/mnist/{ID}/2/output.log",
    ]
    assert lines[3] == f"the end of multirun/mnist/{ID}/1/output.log:"
    assert lines[5:] == [f"job 1 line {n}" for n in range(11, 31)]
    found = json.loads(runyard("logs", "--json").stdout)
    assert [job["job"] for job in found["failed"]] == [1, 2]


def test_lost_jobs_count_as_failed(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep(states=[COMPLETED, RUNNING])
    worker = subprocess.Popen(["true"])
    worker.wait()
    run = a_run(sweep_dir, ID, 1, RUNNING)
    write_run(run.with_attempt(replace(run.attempts[0], pid=worker.pid)))
    assert runyard("logs").stdout.startswith("job 1  LOST  its process is gone")


def test_of_a_sweep_without_failures_it_is_said_how_to_see_a_log(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep(states=[COMPLETED, COMPLETED])
    assert f"'runyard logs {ID}/JOB'" in runyard("logs").stdout
    result = runyard("logs", "-f")
    assert result.exit_code == 2
    assert "--follow needs a job" in result.stderr


def test_a_sweep_of_one_job_has_one_log(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep(states=[COMPLETED])
    assert runyard("logs").stdout.startswith("job 0 line 1\n")


def test_bytes_that_are_no_text_come_through(runyard: Runyard, make_sweep: MakeSweep) -> None:
    path = RunPaths(make_sweep() / "0").output_log
    path.write_bytes(b"\xff\xfe\x00")
    assert runyard("logs", "0").stdout_bytes == b"\xff\xfe\x00"
    assert json.loads(runyard("logs", "0", "--json").stdout)["text"] == "\ufffd\ufffd\x00"


def test_hydras_log_stands_in_for_an_output_that_nobody_kept(runyard: Runyard, make_sweep: MakeSweep) -> None:
    run_dir = make_sweep() / "0"
    RunPaths(run_dir).output_log.rename(run_dir / "train.log")
    assert runyard("logs", "0").stdout.startswith("job 0 line 1\n")


def test_a_job_without_a_log_is_a_usage_error(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep(states=[COMPLETED, PENDING])
    for arguments in (["logs", "1"], ["logs", "1", "-f"], ["logs", "1", "--json"]):
        result = runyard(*arguments)
        assert result.exit_code == 2
        assert "job 1 (PENDING) has no log" in result.stderr
        assert "it has not begun" in result.stderr


def follow(project: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "runyard", "logs", "-f", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=project)


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_following_goes_on_until_the_job_ends(make_sweep: MakeSweep, project: Path) -> None:
    sweep_dir = make_sweep(states=[COMPLETED, RUNNING])
    process = follow(project, "1", "--tail", "1")
    assert process.stdout is not None
    with process, process.stdout:
        assert process.stdout.readline() == "job 1 line 30\n"
        append(RunPaths(sweep_dir / "1").output_log, "more\n")
        assert process.stdout.readline() == "more\n"
        assert process.poll() is None
        append(RunPaths(sweep_dir / "1").output_log, "the last\n")
        write_run(a_run(sweep_dir, ID, 1, COMPLETED))
        assert process.stdout.read() == "the last\n"
        assert process.wait(timeout=10) == 0


def test_following_begins_anew_with_a_new_attempt(make_sweep: MakeSweep, project: Path) -> None:
    sweep_dir = make_sweep(states=[COMPLETED, RUNNING])
    process = follow(project, "1", "--tail", "1")
    assert process.stdout is not None
    with process, process.stdout:
        assert process.stdout.readline() == "job 1 line 30\n"
        RunPaths(sweep_dir / "1").output_log.write_text("second attempt\n")
        assert process.stdout.readline() == "second attempt\n"
        write_run(a_run(sweep_dir, ID, 1, COMPLETED))
        assert process.wait(timeout=10) == 0


def test_following_ends_when_the_process_of_the_job_is_gone(make_sweep: MakeSweep, project: Path) -> None:
    sweep_dir = make_sweep(states=[COMPLETED, RUNNING])
    worker = subprocess.Popen(["sleep", "60"])
    run = a_run(sweep_dir, ID, 1, RUNNING)
    write_run(run.with_attempt(replace(run.attempts[0], pid=worker.pid)))
    process = follow(project, "1", "--tail", "1")
    assert process.stdout is not None
    with process, process.stdout:
        process.stdout.readline()
        time.sleep(0.3)
        assert process.poll() is None
        worker.kill()
        worker.wait()
        assert process.wait(timeout=10) == 0


def test_ctrl_c_ends_following_without_a_word(make_sweep: MakeSweep, project: Path) -> None:
    make_sweep(states=[COMPLETED, RUNNING])
    process = follow(project, "1", "--tail", "1")
    assert process.stdout is not None
    with process, process.stdout:
        process.stdout.readline()
        os.kill(process.pid, 2)
        assert process.wait(timeout=10) == 130
        assert process.stdout.read() == ""
