"""The whole cycle by the commands that a person types: sweep, gate, promote, run again, archive, restore, remove."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.conftest import Shell, read_json
from tests.lifecycle.conftest import sweep


def test_the_cycle_of_a_study(project: Shell):
    baseline = sweep(project, "lr=0.1", "seed=0,1,2", experiment="baseline")
    study = sweep(project, "lr=0.2,0.3", "model=small,big", "seed=0,1,2")
    rule = ("--rule", "loss < 0.2")
    project.runyard("gate", study.name, *rule, "--baseline", "latest:baseline", check=1)
    refused = project.runyard("promote", f"{study.name}/0", check=2)
    assert "has not passed its gates: loss < 0.2: the mean is 0.27" in refused.stderr

    best = next(run for run in map(_run, _jobs(study)) if run["metrics"]["loss"] < 0.063)
    name = f"{study.name}/{best['job']}"
    board = ("--leaderboard", "board.csv")
    promoted = project.runyard("promote", name, "--name", "small_net", "--require", "loss < 0.1", *board, check=0)
    assert "python train.py +production=small_net" in promoted.stdout

    project.python("train.py", "+production=small_net", "+runyard=record", "hydra.run.dir=again", check=0)
    assert _run(project.cwd / "again")["metrics"] == best["metrics"]

    for _ in range(2):
        project.runyard("leaderboard", study.name, "latest:baseline", "--out", "board.csv", check=0)
    with (project.cwd / "board.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len({row["run_id"] for row in rows}) == 15
    assert [row["run_id"] for row in rows if row["label"] == "champion"] == [name]

    project.runyard("archive", "--status", "all", "--max-active-days", "0", "--drop", "*.npz", check=0)
    assert not study.exists() and not baseline.exists()
    project.runyard("restore", study.name, check=0)
    kept = [path.parent.name for path in study.glob("*/weights.npz")]
    assert kept == [str(best["job"])]

    stays = project.runyard("rm", study.name, name, "--yes", check=1)
    assert stays.stdout.count("was promoted as 'small_net'") == 2
    project.runyard("rm", baseline.name, "--yes", "--root", "multirun-archive", check=0)
    assert study.is_dir() and project.sweeps("baseline", "multirun-archive") == []


def _jobs(found: Path) -> list[Path]:
    return sorted(path.parent for path in found.glob("*/run.json"))


def _run(folder: Path) -> dict:
    return read_json(folder / "run.json")
