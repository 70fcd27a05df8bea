"""The stages of the real dispatch workload, over a sweep: what its jobs share is computed once, also after a kill."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from pathlib import Path

import pytest
from tests.conftest import APPS, REPO, Shell

GRID = ("workload.day=0,1", "workload.d=20", "workload.gamma=0,0.5,1,1.5", "workload.tau=0,0.001,0.002")
TIMES_AND_PLACES = {"seconds", "simulate_s", "run_dir", "attempts"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("data")
    shell = Shell(folder)
    generate = ("-m", "app.workloads.dispatch.generate", "--days", "2", "--jobs", "120", "--out", str(folder))
    shell.python(*generate, check=0, PYTHONPATH=str(REPO / "src"))
    return str(folder / "meituan_city_lunchtime_plat10301330_day{day}.csv")


def sweep(shell: Shell, template: str, name: str, *, kill: bool) -> tuple[Path, int]:
    """A sweep of 24 jobs on two processes, resumed where its first solver was killed; and how many solvers began."""
    folder, log = shell.cwd / name, shell.cwd / f"{name}.log"
    environment = {"DEADLY_LOG": str(log), "DEADLY_KILL": "1" if kill else ""}
    environment["PYTHONPATH"] = os.pathsep.join((str(APPS / "deadly"), str(REPO / "src")))
    options = [f"workload.jobs_template='{template}'", "hydra.launcher.n_jobs=2", f"hydra.sweep.dir={folder}"]
    args = ("-m", "app", "-m", "workload=dispatch", *options, *GRID)
    shell.python(*args, check=1 if kill else 0, **environment)
    if kill:
        states = Counter(row["state"] for row in rows(folder / "results.csv"))
        assert states == {"COMPLETED": 23, "FAILED": 1}
        shell.runyard("resume", str(folder), check=0, **environment)
    return folder, len(log.read_text().splitlines())


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def results(folder: Path) -> list[dict[str, str]]:
    return [{k: v for k, v in row.items() if k not in TIMES_AND_PLACES} for row in rows(folder / "results.csv")]


def check_shared(folder: Path) -> None:
    """The bound of each day was computed by one job, and taken from the cache by the eleven others."""
    records = [json.loads(path.read_text()) for path in folder.glob("*/lp_day?/stage.json")]
    assert Counter(r["how"].partition(" from")[0] for r in records) == {"run": 2, "cached": 22}
    assert Counter(path.parts[-3] for path in folder.glob("shared/stages/lp_day*/*/entry.json")) == {
        "lp_day0": 1, "lp_day1": 1
    }  # fmt: skip
    assert sorted((row["day"], row["d"]) for row in rows(folder / "tables" / "lp.csv")) == [
        ("0", "20.0"),
        ("1", "20.0"),
    ]


def test_the_bound_of_each_day_runs_once_for_24_jobs_also_when_its_first_runner_is_killed_half_way(
    shell: Shell, template: str
) -> None:
    whole, begun = sweep(shell, template, "whole", kill=False)
    assert begun == 2
    check_shared(whole)
    killed, begun = sweep(shell, template, "killed", kill=True)
    assert begun == 3
    check_shared(killed)
    assert len(results(whole)) == 24
    assert results(killed) == results(whole)
    matches = [rows(folder / "tables" / "matches.csv") for folder in (whole, killed)]
    assert matches[0] == matches[1]
