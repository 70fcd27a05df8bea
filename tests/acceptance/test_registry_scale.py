"""Many processes that end sweeps in one place, and keep its registry, its index and its pointers together."""

import csv
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.conftest import wait_for

from runyard.registry import Condition, Registry, differences, find_runs

#: a process that begins, follows and ends sweeps as a controller does, through the same functions.
ENDS_SWEEPS = """
import sys, time
from dataclasses import replace
from pathlib import Path
from runyard.base import State, SweepState
from runyard.record import Attempt, RunRecord, SweepRecord, write_run, write_sweep
from runyard.orchestrate import OpenSweep, RecorderSettings, finish, index

root, name, sweeps, gate = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
print("ready", flush=True)
while not gate.exists():
    time.sleep(0.001)
for n in range(sweeps):
    sweep_id = f"20260131T12{n:02}00Z-{name}"
    sweep_dir = root / "mnist" / sweep_id
    sweep_dir.mkdir(parents=True)
    record = SweepRecord(
        sweep_id=sweep_id, experiment="mnist", state=SweepState.RUNNING, command=("python", "train.py"), cwd=".",
        overrides=("lr=0,1,2",), launcher="runyard_local", created_at=f"2026-01-31T12:{n:02}:00.000Z",
    )
    write_sweep(sweep_dir, record)
    opened = OpenSweep(sweep_dir, root, record, RecorderSettings(experiment="mnist", root=str(root)), None)
    index(opened, latest=False)
    for job in range(3):
        attempt = Attempt(n=1, state=State.COMPLETED, started_at=record.created_at, host="h", pid=1, seconds=0.5)
        run = RunRecord(
            sweep_id=sweep_id, job=job, run_key=f"{name}-{n}-{job}", state=State.COMPLETED, overrides=(f"lr={job}",),
            params={"lr": job}, run_dir=str(sweep_dir / str(job)), metrics={"acc": n + job / 10}, attempts=(attempt,),
            seconds=0.5,
        )
        (sweep_dir / str(job)).mkdir()
        write_run(run)
        index(opened, latest=False, runs=[run])
    finish(opened, files=False)
"""


def start(code: str, *arguments: object, cwd: Path) -> subprocess.Popen[str]:
    """A process that has said its first line."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_two_processes_that_end_fifty_sweeps_each_lose_nothing_and_are_told_nothing(tmp_path):
    root, gate = tmp_path / "multirun", tmp_path / "gate"
    ends = [start(ENDS_SWEEPS, root, name, 50, gate, cwd=tmp_path) for name in ("a", "b")]
    gate.touch()
    looks = 0
    while any(end.poll() is None for end in ends):  # somebody looks all the while
        listed = subprocess.run(
            [sys.executable, "-m", "runyard", "ls", "--json"], cwd=tmp_path, capture_output=True, text=True
        )
        assert (listed.returncode, listed.stderr) == (0, "")
        json.loads(listed.stdout)
        looks += 1
    said = [end.communicate() for end in ends]
    assert [(end.returncode, *words) for end, words in zip(ends, said, strict=True)] == [(0, "", "")] * 2
    assert looks > 0
    registry = Registry(root)
    assert registry.condition() is Condition.WHOLE
    assert {row["state"] for row in registry.rows()} == {"COMPLETED"}
    assert len(registry.rows()) == 100
    assert differences(root) == []
    assert find_runs([root], "metrics.acc >= 0").total == 300
    with (root / "index.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["sweep_id"] for row in rows}) == len(rows) == 100
    assert {row["completed"] for row in rows} == {"3"}
    assert (root / "mnist" / "latest").resolve().name.startswith("20260131T1249")


def test_the_registry_that_grew_among_many_equals_the_one_made_from_the_files(tmp_path):
    root, gate = tmp_path / "multirun", tmp_path / "gate"
    ends = [start(ENDS_SWEEPS, root, name, 8, gate, cwd=tmp_path) for name in ("a", "b", "c")]
    gate.touch()
    assert [(end.communicate()[1], end.returncode) for end in ends] == [("", 0)] * 3

    def tables():
        db = sqlite3.connect(root / ".runyard" / "registry.sqlite")
        sweeps = db.execute("SELECT * FROM sweeps ORDER BY path").fetchall()
        runs = db.execute("SELECT path, runs.* FROM runs JOIN sweeps ON number = sweep ORDER BY path, job").fetchall()
        db.close()
        return [row[1:] for row in sweeps], [(row[0], *row[2:]) for row in runs]

    grown = tables()
    (root / ".runyard" / "registry.sqlite").unlink()
    Registry(root).reindex()
    assert tables() == grown


def test_applications_that_end_at_the_same_time_are_all_in_the_registry(shell):
    apps = [
        shell.start_app("short_app", "-m", "+runyard=local", f"marks=marks{n}", "i=1,2", "hydra.launcher.n_jobs=1")
        for n in range(3)
    ]
    assert [wait_for(lambda app=app: app.poll() is not None and (app.returncode,), 120) for app in apps] == [(0,)] * 3
    root = shell.cwd / "multirun"
    assert len(shell.sweeps("short_app")) == len(Registry(root).rows()) == 3
    assert "locked" not in (shell.cwd / "started.log").read_text()
    assert "registry" not in (shell.cwd / "started.log").read_text()
    assert differences(root) == []
    assert find_runs([root], "metrics.square == 4").total == 3


def test_a_registry_that_cannot_be_written_stops_nobody_and_is_mended_later(shell):
    lock = shell.cwd / "multirun" / ".runyard" / "lock"
    lock.mkdir(parents=True)  # nobody can lock it, whatever rights he has
    done = shell.app("short_app", "-m", "+runyard=local", "i=1,2", check=0)
    assert "the registry was not updated" in done.stderr
    assert "Traceback" not in done.stderr
    listed = shell.runyard("ls", "--json", check=0)
    assert [row["state"] for row in json.loads(listed.stdout)] == ["COMPLETED"]
    assert find_runs([shell.cwd / "multirun"], "metrics.square == 4").total == 1
    lock.rmdir()
    shell.runyard("ls", check=0)
    assert len(Registry(shell.cwd / "multirun").rows()) == 1
    assert Registry(shell.cwd / "multirun").runs(shell.only_sweep("short_app").name)[1]["metrics"] == {"square": 4}
