from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from runyard.base import RecordError
from runyard.record import RootPaths
from runyard.registry import Condition, Registry, differences, list_sweeps
from runyard.registry.migrations import STEPS, VERSION

from .conftest import MakeSweep

#: registries as earlier versions made them, named by the number of their form; of three sweeps of two experiments.
ASSETS = {int(path.stem.split("-")[1]): path for path in (Path(__file__).parent / "assets").glob("registry-*.sqlite")}


def three(make_sweep: MakeSweep) -> None:
    for n in range(3):
        make_sweep(f"s{n}", experiment=f"e{n % 2}", created_at=f"2026-01-0{n + 1}T00:00:00.000Z")


def put_asset(version: int, root: Path) -> Path:
    path = RootPaths(root).registry
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ASSETS[version], path)
    return path


def schema(path: Path) -> list[str]:
    db = sqlite3.connect(path)
    found = [row[0] for row in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")]
    db.close()
    return found


def test_there_is_an_asset_for_every_form_before_todays() -> None:
    assert sorted(ASSETS) == list(range(1, VERSION))
    assert len(STEPS) == VERSION


@pytest.mark.parametrize("version", sorted(ASSETS))
def test_a_registry_of_an_earlier_form_can_be_read_as_it_is(version: int, root: Path, make_sweep: MakeSweep) -> None:
    three(make_sweep)
    put_asset(version, root)
    registry = Registry(root)
    assert registry.condition() is Condition.EARLIER
    assert [row["sweep_id"] for row in registry.rows()] == ["s2", "s1", "s0"]
    assert [run["state"] for run in registry.runs("s1")] == ["COMPLETED", "FAILED"]
    assert registry.condition() is Condition.EARLIER, "looking changes nothing"


@pytest.mark.parametrize("version", sorted(ASSETS))
def test_a_registry_of_an_earlier_form_becomes_the_one_that_would_be_made_new(
    version: int, root: Path, make_sweep: MakeSweep
) -> None:
    three(make_sweep)
    Registry(root).reindex()
    new, runs = schema(RootPaths(root).registry), Registry(root).runs("s0")
    path = put_asset(version, root)
    assert Registry(root).reindex() == 3
    assert Registry(root).condition() is Condition.WHOLE
    assert schema(path) == new
    assert Registry(root).runs("s0") == runs
    assert runs[0]["host"] == "node1"
    assert differences(root) == []


@pytest.mark.parametrize("version", sorted(ASSETS))
def test_a_controller_brings_the_form_up_and_keeps_the_rows(version: int, root: Path, make_sweep: MakeSweep) -> None:
    three(make_sweep)
    put_asset(version, root)
    Registry(root).put(make_sweep("new"))
    assert Registry(root).condition() is Condition.PARTIAL, "what the new columns hold is to be read from the files"
    assert len(Registry(root).rows()) == 4


def test_a_registry_of_a_later_version_is_left_alone(root: Path, make_sweep: MakeSweep) -> None:
    three(make_sweep)
    Registry(root).reindex()
    path = RootPaths(root).registry
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    before = path.read_bytes()
    registry = Registry(root)
    assert registry.condition() is Condition.LATER
    for change in (registry.reindex, lambda: registry.put(root / "e0" / "s0")):
        with pytest.raises(RecordError, match="made by a later Runyard"):
            change()
    assert path.read_bytes() == before
    assert len(list_sweeps(root)) == 3
