from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.analyze.factory import PROVENANCE, grid, write_a_sweep

from .conftest import Runyard

GIT = {"sha": "1234567" + "a" * 33, "branch": "main", "dirty": False}
OTHER = {"sha": "89abcde" + "b" * 33, "branch": "main", "dirty": False}


@pytest.fixture
def sweeps(project: Path) -> Path:
    """Two sweeps of the experiment ``train`` below ./multirun, of two commits; the second has half the loss."""
    points = list(grid(lr=(0.1, 0.2), seed=(0, 1, 2)))
    for name, factor, git in (("one", 1.0, GIT), ("two", 0.5, OTHER)):
        folder = project / "multirun" / "train" / name
        write_a_sweep(
            folder,
            points,
            lambda p, factor=factor: {"loss": factor * (p["lr"] + p["seed"] / 1000 + factor * p["seed"] ** 2 / 1e4)},
            provenance=PROVENANCE | {"git": git},
            created_at=f"2026-01-31T12:00:0{int(2 / factor)}.000Z",
        )
    return project


def test_compare_tells_what_differs_and_by_how_much(runyard: Runyard, sweeps: Path) -> None:
    done = runyard("compare", "one", "two", "--min", "loss", "--out", "there")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "baseline   one: 6 of 6 runs completed (train one)"
    row = next(line for line in lines if line.startswith("loss") and " all " in line)
    assert row.endswith("better, paired")
    assert "(n=6)" in row
    assert (sweeps / "there" / "compare.csv").read_text().splitlines()[1].startswith("loss,one,two,,6,6,0,")
    assert (sweeps / "there" / "compare.png").read_bytes().startswith(b"\x89PNG")


def test_sides_may_be_commits_experiments_and_jobs(runyard: Runyard, sweeps: Path) -> None:
    told = json.loads(runyard("compare", "1234567", "89abcde", "experiment:train", "one/3", "--json").stdout)
    assert [(side["label"], side["sweeps"], side["runs"]) for side in told["sides"]] == [
        ("1234567", ["one"], 6),
        ("89abcde", ["two"], 6),
        ("experiment:train", ["two"], 6),
        ("one/3", ["one"], 1),
    ]
    assert not (sweeps / "outputs").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("one",), "nothing to compare with"),
        (("one", "nobody"), "no sweep 'nobody'"),
        (("one", "one/77"), "no job 77"),
        (("one", "two", "-m", "los"), "did you mean 'loss'"),
        (("one", "two", "--ci", "95"), "no confidence level"),
        (("experiment:nobody", "two"), "no sweep of experiment 'nobody'"),
    ],
)
def test_compare_refuses_nonsense_in_words(
    runyard: Runyard, sweeps: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = runyard("compare", *arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert not (sweeps / "outputs").exists()


def test_strict_refuses_a_side_that_mixes(runyard: Runyard, sweeps: Path) -> None:
    write_a_sweep(
        sweeps / "multirun" / "train" / "three",
        list(grid(lr=(0.1,), seed=(0, 1))),
        lambda p: {"loss": 1.0 + p["seed"]},
        provenance=PROVENANCE,
    )
    done = runyard("compare", "three", "two", "--strict")
    assert done.exit_code == 2
    assert "a side is a mixture" in done.stderr
    assert "uncommitted changes" in done.stderr
    assert "mixed" in runyard("compare", "three", "two").stdout


def test_diff_tells_in_what_two_runs_differ(runyard: Runyard, sweeps: Path) -> None:
    done = runyard("diff", "one/0", "one/4", "--exit-code")
    assert done.exit_code == 1
    assert "loss" in done.stdout
    told = json.loads(runyard("diff", "one/0", "one/4", "--json").stdout)
    assert {fact["name"]: fact["values"] for fact in told["differences"]} == {
        "lr": ["0.1", "0.2"],
        "seed": ["0", "1"],
    }
    assert runyard("diff", "one/2", "one/2", "--exit-code").exit_code == 0


def test_diff_wants_runs(runyard: Runyard, sweeps: Path) -> None:
    done = runyard("diff", "one", "two")
    assert done.exit_code == 2
    assert "no job is named" in done.stderr
