from __future__ import annotations

import csv
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from runyard.base import RecordError
from runyard.record import RootPaths, read_sweep
from runyard.registry import Registry, add_to_index, find_sweep, point_latest
from runyard.registry.index import root_lock

from .conftest import MakeSweep


def index_of(root: Path) -> list[dict[str, str]]:
    with RootPaths(root).index_csv.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_index_has_a_row_with_the_facts_of_a_sweep(root: Path, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep(note='with "quotes", commas\nand a line')
    add_to_index(root, read_sweep(sweep_dir), sweep_dir)
    assert index_of(root) == [
        {
            "sweep_id": "20260131T120000Z-abc",
            "experiment": "mnist",
            "state": "COMPLETED",
            "created_at": "2026-01-31T12:00:00.000Z",
            "finished_at": "2026-01-31T12:01:00.000Z",
            "jobs": "2",
            "completed": "1",
            "failed": "1",
            "launcher": "runyard_local",
            "git_sha": "abc123",
            "note": 'with "quotes", commas\nand a line',
            "tags": "first;second",
            "path": "multirun/mnist/20260131T120000Z-abc",
        }
    ]


def test_a_sweep_that_ends_again_keeps_its_place_in_the_index(root: Path, make_sweep: MakeSweep) -> None:
    for name in ("one", "two"):
        add_to_index(root, read_sweep(make_sweep(name)), root / "mnist" / name)
    record = read_sweep(root / "mnist" / "one")
    add_to_index(root, replace(record, counts={"COMPLETED": 2}, finished_at=None), root / "mnist" / "one")
    assert [(row["sweep_id"], row["completed"], row["finished_at"]) for row in index_of(root)] == [
        ("one", "2", ""),
        ("two", "1", "2026-01-31T12:01:00.000Z"),
    ]


def test_columns_that_a_person_added_to_the_index_stay(root: Path, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep("one")
    root.joinpath("index.csv").write_text("sweep_id,verdict,path\none,keep,x\nold,bin,y\n")
    add_to_index(root, read_sweep(sweep_dir), sweep_dir)
    assert [(row["sweep_id"], row["verdict"], row["experiment"]) for row in index_of(root)] == [
        ("one", "keep", "mnist"),
        ("old", "bin", ""),
    ]


def test_a_sweep_outside_the_root_is_indexed_and_found_again(
    root: Path, make_sweep: MakeSweep, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    beside = make_sweep("beside", directory=tmp_path / "results" / "x")
    far = make_sweep("far", directory=tmp_path_factory.mktemp("scratch") / "y")
    for sweep_dir in (beside, far):
        Registry(root).put(sweep_dir)
        add_to_index(root, read_sweep(sweep_dir), sweep_dir)
    assert [row["path"] for row in index_of(root)] == ["results/x", str(far)]
    before = Registry(root).rows()
    RootPaths(root).registry.unlink()
    assert find_sweep("far", [root]) == far
    assert Registry(root).reindex() == 2
    assert Registry(root).rows() == before


def test_latest_is_a_link_that_moves_with_the_root(root: Path, make_sweep: MakeSweep, tmp_path: Path) -> None:
    for name in ("one", "two"):
        point_latest(root, "mnist", make_sweep(name))
    link = RootPaths(root).latest("mnist")
    assert os.readlink(link) == "two"
    elsewhere = make_sweep("kept", directory=tmp_path / "kept")
    point_latest(root, "other", elsewhere)
    assert os.readlink(RootPaths(root).latest("other")) == str(elsewhere)
    hydra = make_sweep("hydra", directory=root / "2026-01-31" / "12-00-00")
    point_latest(root, "job", hydra)
    assert os.readlink(RootPaths(root).latest("job")) == "../2026-01-31/12-00-00"


def test_a_folder_in_the_place_of_latest_is_left_alone(root: Path, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep("one")
    (root / "mnist" / "latest").mkdir()
    with pytest.raises(RecordError, match="latest"):
        point_latest(root, "mnist", sweep_dir)
    assert (root / "mnist" / "latest").is_dir()


END = """
import sys, time
from pathlib import Path
from runyard.record import read_sweep
from runyard.registry import add_to_index, point_latest
root, sweep_dir, gate = map(Path, sys.argv[1:])
print("ready", flush=True)
while not gate.exists():
    time.sleep(0.001)
add_to_index(root, read_sweep(sweep_dir), sweep_dir)
point_latest(root, "mnist", sweep_dir)
"""


def start(code: str, *arguments: Path) -> subprocess.Popen[bytes]:
    """A process of its own that has said its first line."""
    process = subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    return process


def test_sweeps_that_end_in_the_same_instant_all_have_their_row(
    root: Path, make_sweep: MakeSweep, tmp_path: Path
) -> None:
    sweeps = [make_sweep(f"s{n}") for n in range(6)]
    ends = [start(END, root, sweep_dir, tmp_path / "gate") for sweep_dir in sweeps]
    (tmp_path / "gate").touch()
    assert [end.wait() for end in ends] == [0] * 6
    assert sorted(row["sweep_id"] for row in index_of(root)) == [f"s{n}" for n in range(6)]
    assert RootPaths(root).latest("mnist").resolve() in sweeps
    assert not list(root.rglob("*.tmp"))


HOLD = """
import sys, time
from pathlib import Path
from runyard.registry.index import root_lock
with root_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_that_is_never_freed_is_an_error_that_names_it(root: Path) -> None:
    holder = start(HOLD, root)
    with (
        pytest.raises(RecordError, match="other processes have held the lock"),
        root_lock(root, timeout_s=0.1),
    ):
        pass
    holder.kill()
    holder.wait()
    with root_lock(root, timeout_s=0.1):
        pass
