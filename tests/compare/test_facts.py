from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.analyze.factory import PROVENANCE, Outcome, grid, write_a_sweep

from runyard.base import RecordError, UsageError
from runyard.compare import Side, facts_of, side_of, side_of_commit
from runyard.record import SweepPaths


def task(point: Mapping[str, Any]) -> Outcome:
    return {"loss": 1.0}


def side(folder: Path, name: str, config: str, lr: tuple[float, ...] = (0.1,), **provenance: Any) -> Side:
    points = list(grid(optim__lr=lr, seed=(0, 1)))
    sweep = write_a_sweep(folder / "e" / name, points, task, provenance=PROVENANCE | provenance)
    SweepPaths(sweep).config_yaml.write_text(config)
    return side_of(name, sweep)


def test_config_code_and_environment_are_told_apart(tmp_path: Path) -> None:
    one = side(tmp_path, "a", "optim: {lr: 1, name: sgd}\nsizes: [1, 2]\n", python="3.11.7", packages={"numpy": "2.1"})
    two = side(
        tmp_path,
        "b",
        "optim: {lr: 1, name: adam}\nsizes: [1, 3]\nextra: null\n",
        lr=(0.1, 0.2),
        python="3.12.1",
        packages={"numpy": "2.2"},
        git={"sha": "f" * 40, "branch": "main", "dirty": False},
    )
    assert [(f.kind, f.name, f.values) for f in facts_of([one, two]) if f.name != "commit"] == [
        ("config", "optim.lr", ("0.1", "0.1, 0.2")),
        ("config", "optim.name", ("sgd", "adam")),
        ("config", "sizes", ("[1, 2]", "[1, 3]")),
        ("config", "extra", ("", "null")),
        ("code", "uncommitted changes", ("yes", "no, yes")),
        ("environment", "python", ("3.11.7", "3.12.1")),
        ("environment", "package numpy", ("2.1", "2.2")),
    ]


def test_what_is_the_same_is_not_told(tmp_path: Path) -> None:
    config = "optim: {lr: 1}\n"
    assert facts_of([side(tmp_path, "a", config), side(tmp_path, "b", config)]) == []


def test_a_config_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    one, two = side(tmp_path, "a", "x: 1"), side(tmp_path, "b", "x: [")
    with pytest.raises(RecordError, match="config"):
        facts_of([one, two])


def test_a_commit_is_all_its_sweeps(tmp_path: Path) -> None:
    for name, sha in (("a", "1234567" + "a" * 33), ("b", "1234567" + "a" * 33), ("c", "1234999" + "b" * 33)):
        side(tmp_path, name, "x: 1", git={"sha": sha})
    found = side_of_commit("1234567", [tmp_path])
    assert found is not None
    assert sorted(loaded.dir.name for loaded in found.sweeps) == ["a", "b"]
    assert side_of_commit("9999999", [tmp_path]) is None
    assert side_of_commit("latest", [tmp_path]) is None
    with pytest.raises(UsageError, match="2 commits begin so"):
        side_of_commit("1234", [tmp_path])
