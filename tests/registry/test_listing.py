from __future__ import annotations

import shutil
from pathlib import Path

from runyard.base import SweepState
from runyard.record import RootPaths, SweepPaths
from runyard.registry import Registry, differences, list_sweeps, unreadable_sweeps

from .conftest import MakeSweep


def test_the_list_is_the_same_with_a_registry_and_without(root: Path, make_sweep: MakeSweep) -> None:
    for n in range(3):
        Registry(root).put(make_sweep(f"s{n}", created_at=f"2026-01-0{n + 1}T00:00:00.000Z"))
    before = list_sweeps(root)
    assert [row["sweep_id"] for row in before] == ["s2", "s1", "s0"]
    RootPaths(root).registry.unlink()
    assert list_sweeps(root) == before
    assert not RootPaths(root).registry.exists(), "looking writes nothing"
    RootPaths(root).registry.write_bytes(b"no database" * 100)
    assert list_sweeps(root) == before


def test_the_list_sees_what_the_registry_does_not_know_yet(root: Path, make_sweep: MakeSweep) -> None:
    Registry(root).put(make_sweep("known", note="before"))
    Registry(root).put(make_sweep("gone"))
    make_sweep("known", note="after")
    make_sweep("new")
    shutil.rmtree(root / "mnist" / "gone")
    assert {row["sweep_id"]: row["note"] for row in list_sweeps(root)} == {"known": "after", "new": "a note"}


def test_no_root_gives_no_sweeps(tmp_path: Path) -> None:
    assert list_sweeps(tmp_path / "missing") == []


def test_what_cannot_be_read_is_told_of(root: Path, make_sweep: MakeSweep) -> None:
    make_sweep("good")
    bad = SweepPaths(make_sweep("bad")).sweep_json
    bad.write_text("{")
    assert [problem.path for problem in unreadable_sweeps(root)] == [bad]
    assert [row["sweep_id"] for row in list_sweeps(root)] == ["good"]


def test_differences_are_named_one_by_one(root: Path, make_sweep: MakeSweep) -> None:
    registry = Registry(root)
    for name in ("changed", "gone", "same", "runs"):
        registry.put(make_sweep(name))
    make_sweep("changed", note="another")
    make_sweep("missing")
    make_sweep("at-work", state=SweepState.RUNNING)
    shutil.rmtree(root / "mnist" / "gone")
    registry.put(root / "mnist" / "runs", runs=[])
    assert differences(root) == ["sweep missing is missing", "sweep changed has changed since", "sweep gone is gone"]
    registry.reindex()
    assert differences(root) == []
