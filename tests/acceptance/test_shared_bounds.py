"""A dispatch sweep shares the bounds of a day between its jobs, also when the job that computes them is killed."""

from __future__ import annotations

import csv
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import REPO, Shell

#: 24 jobs over gamma and tau with two pairs of (day, d), two processes at a time.
SWEEP = (
    "-m", "app", "-m", "workload=dispatch", "workload.day=0,1", "workload.d=120", "workload.shadow=hd",
    "workload.gamma=0,0.5,1,1.5", "workload.tau=0,0.1,0.2", "hydra.launcher.n_jobs=2", "hydra.sweep.dir=sweep",
    "workload.jobs_template='data/meituan_city_lunchtime_plat10301330_day{day}.csv'",
)  # fmt: skip
#: columns that differ between two sweeps of the same jobs.
OWN = ("seconds", "simulate_s", "attempts", "run_dir", "git_sha")


@pytest.fixture
def sweeping(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A directory with two days of orders, whose bounds take a while."""
    monkeypatch.setenv("PYTHONPATH", str(REPO / "src"))
    (shell.cwd / "conf").symlink_to(REPO / "conf")
    shell.python("-m", "app.workloads.dispatch.generate", "--out", "data", "--days", "2", "--minutes", "20", check=0)
    return shell


def runners(sweep: Path) -> list[str]:
    """How each job came by the bound of its day, without the numbers of jobs."""
    told = [json.loads(path.read_text()).get("how", "") for path in sorted(sweep.glob("*/lp_day*/stage.json"))]
    return [how.split(":")[0].rstrip("0123456789 ") for how in told]


def rows(sweep: Path) -> list[dict[str, str]]:
    with (sweep / "results.csv").open(newline="") as file:
        return [{name: cell for name, cell in row.items() if name not in OWN} for row in csv.DictReader(file)]


def kill_first_runner(sweep: Path, killed: list[int]) -> None:
    """Kills the job that computes a bound, before it has one: it is stopped, looked at, and then killed."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not killed:
        for path in sweep.glob("*/lp_day0/stage.json"):
            if json.loads(path.read_text())["state"] != "RUNNING":
                continue
            attempt = json.loads((path.parents[1] / "run.json").read_text())["attempts"][-1]
            holder = _holder(sweep)
            if holder == attempt["pid"]:  # the others wait for it
                os.kill(holder, signal.SIGSTOP)
                if not (path.parent / "lp.json").exists():
                    killed.append(int(path.parents[1].name))
                os.kill(holder, signal.SIGKILL)
                return
        time.sleep(0.002)


def _holder(sweep: Path) -> int | None:
    """The process that has the lock of the bound of day 0, as the system tells it."""
    for lock in sweep.glob("shared/stages/lp_day0/.*.lock"):
        wanted = f":{lock.stat().st_ino} "
        for line in Path("/proc/locks").read_text().splitlines():
            if wanted in line and "->" not in line:
                return int(line.split()[4])
    return None


def test_in_a_sweep_of_24_jobs_each_bound_is_computed_once_also_when_its_first_runner_is_killed(
    sweeping: Shell,
) -> None:
    sweeping.python(*SWEEP, check=0)
    sweep = sweeping.cwd / "sweep"
    assert sorted(runners(sweep)) == ["cached from job"] * 22 + ["run"] * 2
    undisturbed = rows(sweep)
    assert len(undisturbed) == 24
    sweep.rename(sweeping.cwd / "undisturbed")

    killed: list[int] = []
    killer = threading.Thread(target=kill_first_runner, args=(sweep, killed))
    killer.start()
    done: Any = sweeping.python(*SWEEP)
    killer.join()
    assert len(killed) == 1, "the bound was computed before it could be disturbed"
    assert done.returncode == 1, done.stderr
    (failed,) = [row for row in rows(sweep) if row["state"] != "COMPLETED"]
    assert failed["job"] == str(killed[0])
    # the one that was killed left nothing; of those that waited for it the next has computed, and the others have not
    assert runners(sweep).count("run") == 2
    sweeping.runyard("resume", "sweep", check=0)
    assert runners(sweep).count("run") == 2
    assert rows(sweep) == undisturbed
