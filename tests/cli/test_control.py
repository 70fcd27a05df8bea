from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runyard.base import State, read_json
from runyard.cli.control import _sweep_and_overrides
from runyard.record import RootPaths, RunPaths, SweepPaths, write_run
from runyard.registry import DEFAULT_ROOTS

from .conftest import MakeSweep, Runyard, a_run

APP = """
import time
from dataclasses import replace
from pathlib import Path
import hydra

@hydra.main(version_base="1.3", config_path=None)
def main(cfg):
    Path(cfg.marks, f"{cfg.i}").open("a").write("x")
    while cfg.wait and not Path(cfg.marks, "go").exists():
        time.sleep(0.02)
    if cfg.i == 1 and not Path(cfg.marks, "mended").exists():
        raise ValueError("not mended")
    return {"double": 2 * cfg.i}

main()
"""


class Application:
    """An application that knows nothing of us, and its sweep. Job 1 fails until it is mended."""

    def __init__(self, folder: Path) -> None:
        self.dir, self.marks = folder, folder / "marks"
        self.marks.mkdir()
        (folder / "app.py").write_text(APP)

    def start(self, *, wait: bool = False) -> subprocess.Popen[str]:
        words = ["-m", "+runyard=local", "+i=range(3)", f"+marks={self.marks}", f"+wait={wait}"]
        command = [sys.executable, "app.py", *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.dir, stdout=pipe, stderr=subprocess.STDOUT, text=True)

    def run(self) -> int:
        process = self.start()
        process.communicate()
        return process.returncode

    def runyard(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "runyard", *arguments]
        return subprocess.run(command, cwd=cwd or self.dir, capture_output=True, text=True)

    def status(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.runyard("status", "--json").stdout)
        return value

    def runs_of(self, job: int) -> int:
        return len((self.marks / str(job)).read_text())

    def wait_for(self, *jobs: int) -> None:
        deadline = time.monotonic() + 60
        while not all((self.marks / str(job)).exists() for job in jobs):
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture
def app(project: Path) -> Application:
    return Application(project)


def test_a_failed_job_is_retried_and_nothing_else(app: Application, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert app.run() == 1
    assert app.status()["counts"] == {"COMPLETED": 2, "FAILED": 1}
    (app.marks / "mended").touch()
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    done = app.runyard("retry", "--root", str(app.dir / "multirun"), "hydra.launcher.n_jobs=1", cwd=elsewhere)
    assert done.returncode == 0, done.stderr
    first = done.stderr.splitlines()[0]
    assert first.startswith(f"cd {app.dir} && ")
    assert first.endswith("failed hydra.launcher.n_jobs=1")
    assert app.status()["state"] == "COMPLETED"
    assert [app.runs_of(job) for job in range(3)] == [1, 2, 1]
    assert app.runyard("results", "--csv").stdout.count("COMPLETED") == 3


def test_the_exit_code_of_resume_is_that_of_the_sweep(app: Application) -> None:
    app.run()
    done = app.runyard("resume")
    assert done.returncode == 1
    assert "not mended" in done.stderr
    assert [app.runs_of(job) for job in range(3)] == [1, 2, 1]
    done = app.runyard("retry", "--jobs", "0,2")
    assert done.returncode == 1
    assert [app.runs_of(job) for job in range(3)] == [1, 2, 1], "what is COMPLETED does not run again"


def test_a_killed_sweep_is_resumed_and_a_running_one_is_cancelled(app: Application) -> None:
    process = app.start(wait=True)
    app.wait_for(0)
    assert app.status()["state"] == "RUNNING"
    second = app.runyard("resume")
    assert second.returncode == 2
    assert f"process {process.pid}" in second.stderr
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert app.status()["state"] == "LOST"
    assert "to go on: runyard resume" in app.runyard("ls").stdout

    command = [sys.executable, "-m", "runyard", "resume"]
    resumed = subprocess.Popen(command, cwd=app.dir, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while app.status()["state"] != "RUNNING":
        time.sleep(0.1)
    assert app.status()["controller"]["pid"] == resumed.pid, "the command became the controller"
    while not app.status()["running"]:
        time.sleep(0.1)
    cancelled = app.runyard("cancel")
    assert (cancelled.returncode, f"process {resumed.pid}" in cancelled.stdout) == (0, True)
    text = resumed.communicate(timeout=60)[0]
    assert resumed.returncode == 130, text
    assert app.status()["state"] == "CANCELLED"

    (app.marks / "go").touch()
    (app.marks / "mended").touch()
    assert app.runyard("resume").returncode == 0
    assert app.status()["counts"] == {"COMPLETED": 3}
    assert app.runyard("cancel").returncode == 2


def test_collect_makes_the_files_of_a_sweep_that_nobody_ended(
    runyard: Runyard, make_sweep: MakeSweep, project: Path
) -> None:
    sweep_dir = make_sweep(states=[State.COMPLETED, State.RUNNING])
    gone = subprocess.Popen(["true"])
    gone.wait()
    run = a_run(sweep_dir, sweep_dir.name, 1, State.RUNNING)
    write_run(run.with_attempt(replace(run.attempts[0], pid=gone.pid)))
    result = runyard("collect")
    assert result.exit_code == 0
    assert "1/2 completed, 1 lost" in result.stdout
    assert read_json(RunPaths(sweep_dir / "1").run_json)["state"] == "LOST"
    assert SweepPaths(sweep_dir).results_csv.is_file()
    assert RootPaths(project / "multirun").index_csv.is_file()
    assert RootPaths(project / "multirun").latest("mnist").resolve() == sweep_dir


def test_reindex_tells_the_number_of_sweeps_and_what_was_left_out(
    runyard: Runyard, make_sweep: MakeSweep, project: Path
) -> None:
    make_sweep("one")
    SweepPaths(make_sweep("bad")).sweep_json.write_text("{")
    (project / "outputs").mkdir()
    result = runyard("reindex")
    assert result.exit_code == 0
    assert result.stdout == "multirun: 1 sweep\noutputs: 0 sweeps\n"
    assert result.stderr.startswith("left out: ")
    assert json.loads(runyard("reindex", "--json").stdout) == [
        {"root": "multirun", "sweeps": 1},
        {"root": "outputs", "sweeps": 0},
    ]


def test_there_must_be_something_to_index(runyard: Runyard) -> None:
    assert runyard("reindex").exit_code == 2


@pytest.mark.parametrize("command", ["resume", "retry"])
def test_what_cannot_be_resumed_is_a_usage_error(command: str, runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep()
    for arguments in (["nope"], [], ["latest", "and-more"], ["latest", "lr=1"]):
        assert runyard(command, *arguments).exit_code == 2


def test_jobs_to_retry_must_be_numbers(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep()
    result = runyard("retry", "--jobs", "all")
    assert result.exit_code == 2
    assert "write numbers and ranges: 0-3,7" in result.stderr


def test_the_latest_to_resume_is_a_sweep_and_no_single_run(make_sweep: MakeSweep, project: Path) -> None:
    sweep_dir = make_sweep()
    make_sweep("x", [], directory=project / "outputs" / "j" / "x", single=True, created_at="2027-01-01T00:00:00.000Z")
    assert _sweep_and_overrides((), DEFAULT_ROOTS) == (sweep_dir, [])
    assert _sweep_and_overrides(("hydra.launcher.n_jobs=1",), DEFAULT_ROOTS) == (sweep_dir, ["hydra.launcher.n_jobs=1"])
    odd = make_sweep("y", directory=project / "a=1")
    assert _sweep_and_overrides(("a=1", "b=2"), DEFAULT_ROOTS) == (odd, ["b=2"])
    assert os.getcwd() == str(project)
