"""Sweeps that are killed, interrupted and taken up again: nothing is lost and nothing done twice."""

import csv
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest
from tests.conftest import APPS, processes_of, read_json, wait_for


def runs_of(sweep):
    return {int(p.parent.name): read_json(p) for p in sweep.glob("*/run.json")}


def completed(sweep):
    return {job for job, run in runs_of(sweep).items() if run["state"] == "COMPLETED"}


def times_begun(marks, job):
    return len(list(marks.glob(f"{job}.begun.*")))


def test_a_sweep_killed_ten_times_completes_every_job_once(shell):
    seed = int.from_bytes(os.urandom(4), "big")
    print("seed", seed)  # a failing run tells how to repeat it
    chance = random.Random(seed)
    jobs, marks = 300, shell.cwd / "marks"
    process = shell.start_app("short_app", "-m", "+runyard=local", f"i=range({jobs})", "sleep_s=0.01")
    sweep = wait_for(lambda: next((s for s in shell.sweeps("short_app") if (s / "sweep.json").exists()), None))
    for _ in range(10):
        time.sleep(chance.uniform(0.0, 1.5))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        wait_for(lambda: not processes_of(sweep))
        finished = {job: times_begun(marks, job) for job in completed(sweep)}
        process = shell.start("-m", "runyard", "resume", sweep.name)
    assert process.wait(timeout=240) == 0, (shell.cwd / "started.log").read_text()[-3000:]
    assert completed(sweep) == set(range(jobs))
    for job, begun in finished.items():
        assert times_begun(marks, job) == begun, f"job {job} was recorded as COMPLETED and ran again"
    with (sweep / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["job"]) for row in rows] == list(range(jobs))
    assert all(int(row["square"]) == int(row["i"]) ** 2 for row in rows)
    ended = [run["attempts"][-1]["state"] for run in runs_of(sweep).values()]
    assert ended == ["COMPLETED"] * jobs


def test_workers_of_a_killed_controller_end_by_themselves(shell):
    process = shell.start_app("short_app", "-m", "+runyard=local", "i=0,1", "sleep_s=60")
    sweep = wait_for(lambda: next(iter(shell.sweeps("short_app")), None))
    wait_for(lambda: len(processes_of(sweep)) == 2)
    os.kill(process.pid, signal.SIGKILL)
    wait_for(lambda: not processes_of(sweep))
    status = shell.runyard("status", sweep.name, "--json", check=0).stdout
    assert '"LOST"' in status


def test_a_killed_template_loses_its_jobs_only_and_they_can_be_retried(shell):
    process = shell.start_app(
        "short_app", "-m", "+runyard=local", "i=range(6)", "sleep_s=0.5", "hydra.launcher.max_retries=1"
    )
    sweep = wait_for(lambda: next(iter(shell.sweeps("short_app")), None))
    (worker, *_) = wait_for(lambda: processes_of(sweep))
    template = int(Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1])
    assert template != process.pid
    os.kill(template, signal.SIGKILL)
    assert process.wait(timeout=60) == 0
    assert completed(sweep) == set(range(6))
    assert any(run["attempts"][0]["state"] == "LOST" for run in runs_of(sweep).values())


def test_resume_keeps_the_configs_that_were_submitted(shell):
    (shell.cwd / "conf").mkdir()
    (shell.cwd / "conf" / "config.yaml").write_text("value: 1\nfail: true\ni: 0\n")
    (shell.cwd / "frozen.py").write_text(
        "import hydra\nfrom pathlib import Path\n"
        "@hydra.main(version_base='1.3', config_path='conf', config_name='config')\n"
        "def main(cfg):\n"
        "    if not Path('go').exists(): raise RuntimeError('not yet')\n"
        "    return {'value': cfg.value}\n"
        "if __name__ == '__main__': main()\n"
    )
    shell.python("frozen.py", "-m", "+runyard=local", "i=0,1", check=1)
    (shell.cwd / "conf" / "config.yaml").write_text("this: is: not: yaml")
    (shell.cwd / "go").touch()
    shell.runyard("resume", check=0)
    sweep = shell.only_sweep("frozen")
    assert [run["metrics"] for run in runs_of(sweep).values()] == [{"value": 1}, {"value": 1}]
    assert [len(run["attempts"]) for run in runs_of(sweep).values()] == [2, 2]


def test_ctrl_c_once_gives_running_jobs_a_grace_period_and_keeps_the_rest_pending(shell):
    process = shell.start_app("short_app", "-m", "+runyard=local", "i=range(10)", "sleep_s=30")
    sweep = wait_for(lambda: next(iter(shell.sweeps("short_app")), None))
    wait_for(lambda: len(processes_of(sweep)) == 2)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert read_json(sweep / "sweep.json")["state"] == "CANCELLED"
    assert read_json(sweep / "sweep.json")["counts"] == {"PENDING": 8, "CANCELLED": 2}
    assert f"runyard resume {sweep.name}" in (shell.cwd / "started.log").read_text()


def test_ctrl_c_twice_ends_jobs_at_once_that_ignore_sigterm(shell):
    process = shell.start_app(
        "short_app", "-m", "+runyard=local", "i=0,1", "sleep_s=60", "ignore_term=true", "hydra.launcher.grace_s=60"
    )
    sweep = wait_for(lambda: next(iter(shell.sweeps("short_app")), None))
    wait_for(lambda: len(list((shell.cwd / "marks").glob("*.begun.*"))) == 2)
    process.send_signal(signal.SIGINT)
    wait_for(lambda: process.poll() is not None or processes_of(sweep))
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130


def test_an_interrupted_sweep_is_finished_by_resume(shell):
    process = shell.start_app("short_app", "-m", "+runyard=local", "i=range(4)", "sleep_s=1")
    sweep = wait_for(lambda: next(iter(shell.sweeps("short_app")), None))
    wait_for(lambda: completed(sweep))
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    shell.runyard("resume", check=0)
    assert completed(sweep) == set(range(4))
    assert read_json(sweep / "sweep.json")["state"] == "COMPLETED"


def test_cancel_does_what_ctrl_c_does(shell):
    process = shell.start_app("short_app", "-m", "+runyard=local", "i=0,1,2", "sleep_s=30")
    sweep = wait_for(lambda: next(iter(shell.sweeps("short_app")), None))
    wait_for(lambda: len(processes_of(sweep)) == 2)
    shell.runyard("cancel", sweep.name, check=0)
    assert process.wait(timeout=30) == 130


def test_a_second_controller_is_refused_and_told_who_the_first_is(shell):
    process = shell.start_app("short_app", "-m", "+runyard=local", "i=0,1,2", "sleep_s=20")
    sweep = wait_for(lambda: next(iter(shell.sweeps("short_app")), None))
    wait_for(lambda: processes_of(sweep))
    done = shell.runyard("resume", sweep.name, check=2)
    assert f"process {process.pid}" in done.stderr
    assert "Traceback" not in done.stderr
    again = shell.python("-m", "runyard.orchestrate", str(sweep), "left", check=2)
    assert f"process {process.pid}" in again.stderr
    assert len(processes_of(sweep)) == 2, "the first controller's jobs live on"


def test_retry_runs_failed_jobs_only_and_jobs_picks_among_them(shell):
    shell.app("short_app", "-m", "+runyard=local", "i=range(4)", "fail_first=1", check=1)
    sweep = shell.only_sweep("short_app")
    shell.runyard("retry", sweep.name, "--jobs", "0-1,3", check=1)
    assert completed(sweep) == {0, 1, 3}
    shell.runyard("retry", sweep.name, check=0)
    assert completed(sweep) == {0, 1, 2, 3}
    assert {run["attempts"][0]["error"]["type"] for run in runs_of(sweep).values()} == {"ConnectionError"}


@pytest.mark.parametrize("cause", ["FAILED", "ConnectionError"])
def test_a_job_is_tried_again_for_the_causes_that_are_named(shell, cause):
    retries = ["hydra.launcher.max_retries=2", f"hydra.launcher.retry_on=[{cause}]"]
    shell.app("short_app", "-m", "+runyard=local", "i=0,1", "fail_first=2", *retries, check=0)
    attempts = [[a["state"] for a in run["attempts"]] for run in runs_of(shell.only_sweep("short_app")).values()]
    assert attempts == [["FAILED", "FAILED", "COMPLETED"]] * 2


def test_a_job_is_not_tried_again_for_other_causes(shell):
    retries = ["hydra.launcher.max_retries=2", "hydra.launcher.retry_on=[TIMEOUT]"]
    shell.app("short_app", "-m", "+runyard=local", "i=0,1", "fail_first=2", *retries, check=1)
    assert [len(run["attempts"]) for run in runs_of(shell.only_sweep("short_app")).values()] == [1, 1]


def test_fail_fast_leaves_the_rest_pending_and_resume_takes_them_up(shell):
    args = ["i=range(5)", "fail_first=1", "hydra.launcher.n_jobs=1", "hydra.launcher.fail_fast=true"]
    shell.app("short_app", "-m", "+runyard=local", *args, check=1)
    sweep = shell.only_sweep("short_app")
    assert read_json(sweep / "sweep.json")["counts"] == {"PENDING": 4, "FAILED": 1}
    shell.runyard("resume", sweep.name, "hydra.launcher.fail_fast=false", check=1)
    assert completed(sweep) == {0}


def test_one_job_at_a_time_runs_in_order(shell):
    shell.app("short_app", "-m", "+runyard=local", "i=range(5)", "hydra.launcher.n_jobs=1", check=0)
    runs = runs_of(shell.only_sweep("short_app"))
    begun = [runs[job]["attempts"][0]["started_at"] for job in range(5)]
    ended = [runs[job]["attempts"][0]["ended_at"] for job in range(5)]
    assert all(earlier <= later for earlier, later in zip(ended, begun[1:], strict=False))


def test_two_sweeps_started_in_the_same_second_have_two_directories(shell):
    processes = [shell.start_app("short_app", "-m", "+runyard=local", "i=0,1") for _ in range(3)]
    assert [p.wait(timeout=60) for p in processes] == [0, 0, 0]
    sweeps = shell.sweeps("short_app")
    assert len(sweeps) == 3
    latest = (shell.cwd / "multirun/short_app/latest").resolve()
    assert latest in sweeps
    with (shell.cwd / "multirun/index.csv").open() as file:
        assert {row["sweep_id"] for row in csv.DictReader(file)} == {s.name for s in sweeps}


def test_an_application_started_as_a_module_resumes_as_one(shell):
    (shell.cwd / "pack").mkdir()
    (shell.cwd / "pack" / "__init__.py").touch()
    (shell.cwd / "pack" / "__main__.py").write_text((APPS / "short_app.py").read_text())
    done = shell.python("-m", "pack", "-m", "+runyard=local", "hydra.job.name=pack", "i=0,1", "fail_first=1")
    assert done.returncode == 1
    shell.runyard("resume", check=0)
    assert completed(shell.only_sweep("pack")) == {0, 1}


def test_the_interpreter_that_runs_the_tests_is_the_one_that_resumes(shell):
    shell.app("short_app", "-m", "+runyard=local", "i=0", check=0)
    assert read_json(shell.only_sweep("short_app") / "sweep.json")["entry"]["python"] == sys.executable
