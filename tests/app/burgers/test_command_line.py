"""The Burgers workload through the command line, as its users run it."""

from __future__ import annotations

import csv
import json

from tests.conftest import REPO, Shell

SOURCES = {"PYTHONPATH": str(REPO / "src")}
TIMES_AND_PLACES = {"job", "seconds", "run_dir", "attempts", "run_key"}


def rows(shell: Shell) -> list[dict[str, str]]:
    sweep = (shell.cwd / "multirun" / "burgers_grid" / "latest").resolve()
    with (sweep / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_grid_meets_the_golden_values_passes_its_gates_and_repeats_to_the_last_digit(shell: Shell) -> None:
    args = ("-m", "app", "-m", "+experiment=burgers_grid", "workload.latent_dim=16", "workload.seed=0,1")
    shell.python(*args, **SOURCES)
    first = rows(shell)
    assert len(first) == 4
    assert all(float(row["golden_error"]) < 1e-4 and float(row["mean_drift"]) < 1e-12 for row in first)
    assert all(row["gates_passed"] == "1" for row in first)
    assert len({row["final_nrmse"] for row in first}) == 4
    sweep = (shell.cwd / "multirun" / "burgers_grid" / "latest").resolve()
    assert len(list(sweep.glob("shared/stages/data/*/files/solutions.npz"))) == 1
    report = json.loads((sweep / "0" / "report.json").read_text())
    assert report["gates_passed"] is True and report["final_nrmse"] == float(first[0]["final_nrmse"])
    shell.python(*args, **SOURCES)
    for before, after in zip(first, rows(shell), strict=True):
        assert {k: v for k, v in before.items() if k not in TIMES_AND_PLACES} == {
            k: v for k, v in after.items() if k not in TIMES_AND_PLACES
        }


def test_a_wrong_key_is_refused_before_anything_runs(shell: Shell) -> None:
    done = shell.python("-m", "app", "-m", "+experiment=burgers_grid", "workload.nx=100", check=2, **SOURCES)
    assert "burgers.nx" in done.stderr
    assert shell.sweeps("burgers_grid") == []
