from __future__ import annotations

import csv
import os
import shutil
import signal
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
from tests.conftest import Shell, wait_for
from tests.lifecycle.conftest import MakeSweep, sweep

from runyard.base import State, SweepBusy, SweepState, UsageError
from runyard.lifecycle import archive_sweep, default_archive, promote, read_metadata, restore_sweep
from runyard.lifecycle.moving import difference
from runyard.record import ControllerLock, RootPaths, SweepPaths, read_sweep
from runyard.registry import Registry, add_to_index, find_sweep, list_sweeps, point_latest

NOW = datetime(2026, 3, 1, tzinfo=timezone.utc)


def enlist(root: Path, *sweeps: Path) -> None:
    for folder in sweeps:
        Registry(root).put(folder)
        add_to_index(root, read_sweep(folder), folder)
        point_latest(root, folder.parent.name, folder)


def indexed(root: Path) -> list[str]:
    with RootPaths(root).index_csv.open() as file:
        return [row["sweep_id"] for row in csv.DictReader(file)]


def test_an_archived_sweep_comes_back_as_it_was(make_sweep: MakeSweep, tmp_path: Path):
    found, root = make_sweep(), tmp_path / "multirun"
    shutil.copytree(found, tmp_path / "original")
    move = archive_sweep(found, root=root, now=NOW)
    archive = tmp_path / "multirun-archive"
    assert move.target == archive / "study" / found.name
    assert not found.exists()
    assert difference(tmp_path / "original", move.target, aside=("metadata.json",)) is None
    back = restore_sweep(move.target, archive=archive)
    assert back.target == found
    assert difference(tmp_path / "original", found) is None


def test_the_metadata_say_what_was_archived(make_sweep: MakeSweep, tmp_path: Path):
    found = make_sweep()
    metadata = read_metadata(archive_sweep(found, root=tmp_path / "multirun", now=NOW).target)
    assert metadata is not None
    assert (metadata.status, metadata.state, metadata.source) == ("success", "COMPLETED", str(found))
    assert metadata.archived_at == "2026-03-01T00:00:00.000Z"


def test_registry_index_and_latest_follow(make_sweep: MakeSweep, tmp_path: Path):
    older = make_sweep("20260101T000000Z-a", created_at="2026-01-01T00:00:00.000Z")
    newer = make_sweep("20260102T000000Z-b", created_at="2026-01-02T00:00:00.000Z")
    root = tmp_path / "multirun"
    enlist(root, older, newer)
    move = archive_sweep(newer, root=root, now=NOW)
    assert [row["sweep_id"] for row in Registry(root).rows()] == [older.name]
    assert indexed(root) == [older.name]
    assert find_sweep("latest", [root]) == older and (root / "study" / "latest").resolve() == older
    archive = default_archive(root)
    assert [row["path"] for row in list_sweeps(archive)] == [str(move.target)]
    assert indexed(archive) == [newer.name]
    restore_sweep(move.target, archive=archive)
    assert {row["sweep_id"] for row in Registry(root).rows()} == {older.name, newer.name}
    assert (root / "study" / "latest").resolve() == newer
    assert indexed(root) == [older.name, newer.name] and indexed(archive) == []


def test_latest_goes_with_the_last_sweep_of_an_experiment(make_sweep: MakeSweep, tmp_path: Path):
    found, root = make_sweep(), tmp_path / "multirun"
    enlist(root, found)
    archive_sweep(found, root=root)
    assert not os.path.lexists(root / "study" / "latest")


def test_columns_that_a_person_added_to_the_index_stay(make_sweep: MakeSweep, tmp_path: Path):
    root = tmp_path / "multirun"
    first, second = make_sweep("20260101T000000Z-a"), make_sweep("20260102T000000Z-b")
    enlist(root, first, second)
    path = RootPaths(root).index_csv
    lines = path.read_text().splitlines()
    path.write_text("\n".join([f"{lines[0]},mine", f"{lines[1]},one", f"{lines[2]},two"]) + "\n")
    archive_sweep(first, root=root)
    with path.open() as file:
        assert [row["mine"] for row in csv.DictReader(file)] == ["two"]


def test_heavy_files_are_dropped_by_pattern_and_records_never(make_sweep: MakeSweep, tmp_path: Path):
    found = make_sweep()
    (found / "0" / "checkpoints").mkdir()
    (found / "0" / "checkpoints" / "last.pt").write_bytes(bytes(10))
    (found / "1" / "keep.npz").write_bytes(bytes(10))
    move = archive_sweep(
        found,
        root=tmp_path / "multirun",
        drop=["*.npz", "checkpoints", "*.json", "sweep.json", "*.yaml"],
        keep=["keep.*"],
    )
    dropped = {file.path for file in move.metadata.dropped}
    assert dropped == {"0/weights.npz", "1/weights.npz", "0/checkpoints/last.pt"}
    assert not (move.target / "0" / "weights.npz").exists() and (move.target / "1" / "keep.npz").exists()
    assert (move.target / "0" / ".hydra" / "config.yaml").exists() and (move.target / "0" / "run.json").exists()
    back = restore_sweep(move.target, archive=None)
    assert {file.path for file in back.metadata.dropped} == dropped
    again = read_metadata(found)
    assert again is not None and again.dropped == move.metadata.dropped, "what is lost stays on record"


def test_a_dry_run_changes_nothing(make_sweep: MakeSweep, tmp_path: Path):
    found = make_sweep()
    shutil.copytree(found, tmp_path / "original")
    move = archive_sweep(found, root=tmp_path / "multirun", drop=["*.npz"], dry_run=True)
    assert len(move.metadata.dropped) == 2
    assert difference(tmp_path / "original", found) is None and not move.target.exists()


def test_a_sweep_that_runs_is_refused(project: Shell):
    process = project.start_app("marked_app", "-m", "+runyard=local", "i=0,1", "hang_at=0")
    lock = wait_for(lambda: next((project.cwd / "multirun").glob("*/2*/.controller"), None))
    found = lock.parent
    wait_for(lambda: SweepPaths(found).sweep_json.exists() and lock.read_text())
    with pytest.raises(SweepBusy, match=r"is running and cannot be archived: process \d+"):
        archive_sweep(found, root=project.cwd / "multirun")
    assert found.is_dir() and not default_archive(project.cwd / "multirun").exists()
    process.send_signal(signal.SIGINT)
    process.wait()
    assert archive_sweep(found, root=project.cwd / "multirun").target.is_dir()


def test_another_machine_s_sweep_that_says_it_runs_is_refused(make_sweep: MakeSweep, tmp_path: Path):
    found = make_sweep(state=SweepState.RUNNING, controller={"pid": 1, "host": "elsewhere", "since": "2026"})
    with pytest.raises(SweepBusy, match="process 1 on elsewhere"):
        archive_sweep(found, root=tmp_path / "multirun")


def test_a_sweep_that_somebody_holds_is_refused(make_sweep: MakeSweep, tmp_path: Path):
    found = make_sweep()
    holder = os.fork()
    if holder == 0:
        ControllerLock(SweepPaths(found).lock).acquire()
        (tmp_path / "held").touch()
        time.sleep(60)
        os._exit(0)
    wait_for((tmp_path / "held").exists)
    try:
        with pytest.raises(SweepBusy):
            archive_sweep(found, root=tmp_path / "multirun")
    finally:
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)


def test_an_archive_inside_the_root_is_refused(make_sweep: MakeSweep, tmp_path: Path):
    found = make_sweep()
    for place in ("multirun/archive", "multirun", f"multirun/study/{found.name}/old"):
        with pytest.raises(UsageError, match="the archive lies inside"):
            archive_sweep(found, root=tmp_path / "multirun", to=tmp_path / place)


def test_a_sweep_of_no_root_needs_a_named_archive(make_sweep: MakeSweep, tmp_path: Path):
    found = make_sweep()
    with pytest.raises(UsageError, match="lies below no known root"):
        archive_sweep(found, root=None)
    assert archive_sweep(found, root=None, to=tmp_path / "old").target == tmp_path / "old" / "study" / found.name


def test_places_that_are_taken_are_not_written_over(make_sweep: MakeSweep, tmp_path: Path):
    root = tmp_path / "multirun"
    found = make_sweep()
    archived = archive_sweep(found, root=root).target
    make_sweep(experiment="study")
    (found / "mine").write_text("new")
    with pytest.raises(UsageError, match="the place in the archive is taken"):
        archive_sweep(found, root=root)
    with pytest.raises(UsageError, match="something else is in its place"):
        restore_sweep(archived, archive=default_archive(root))
    assert (found / "mine").read_text() == "new" and archived.is_dir()


def test_what_is_not_archived_cannot_be_restored(make_sweep: MakeSweep):
    with pytest.raises(UsageError, match="is not archived"):
        restore_sweep(make_sweep(), archive=None)


def test_files_of_a_promoted_run_are_not_dropped(project: Shell):
    found = sweep(project, "lr=0.1,0.3", "limit=1")
    promote(found, 1, conf_dir=project.cwd / "conf", trial=False)
    move = archive_sweep(found, root=project.cwd / "multirun", drop=["*.npz"])
    assert [file.path for file in move.metadata.dropped] == ["0/weights.npz"]
    assert (move.target / "1" / "weights.npz").is_file()


def test_a_single_run_can_be_archived(make_sweep: MakeSweep, tmp_path: Path):
    found = make_sweep(states=(State.COMPLETED,), single=True)
    assert archive_sweep(found, root=tmp_path / "multirun").target.is_dir()


@pytest.mark.parametrize("wait_ms", [200, 300, 350, 400, 450, 500, 550, 600, 700, 800])
def test_a_killed_archive_command_leaves_the_sweep_whole(make_sweep: MakeSweep, shell: Shell, wait_ms: int):
    found, root = make_sweep(states=(State.COMPLETED,) * 30), shell.cwd / "multirun"
    shutil.copytree(found, shell.cwd / "original")
    elsewhere = Path("/dev/shm") if os.stat("/dev/shm").st_dev != os.stat(shell.cwd).st_dev else shell.cwd
    archive = elsewhere / f"runyard-archive-{os.getpid()}-{wait_ms}"
    code = (
        "import sys; from pathlib import Path; from runyard.lifecycle import archive_sweep as a;"
        "a(Path(sys.argv[1]), root=Path(sys.argv[2]), to=Path(sys.argv[3]))"
    )
    try:
        process = shell.start("-c", code, str(found), str(root), str(archive))
        time.sleep(wait_ms / 1000)
        process.kill()
        process.wait()
        target = archive / "study" / found.name
        aside = ("metadata.json", ".controller")
        places = [path for path in (found, target) if path.exists()]
        assert places
        assert all(difference(shell.cwd / "original", path, aside=aside) is None for path in places)
        if found.exists():
            archive_sweep(found, root=root, to=archive)
        assert difference(shell.cwd / "original", target, aside=aside) is None and not found.exists()
        # what a kill has left of a sweep that is whole in the archive goes with the next one of its experiment
        archive_sweep(make_sweep("20260131T120001Z-abc1234"), root=root, to=archive)
        assert not list(found.parent.glob(".*.leaving"))
        assert find_sweep(found.name, [archive]) == target
    finally:
        shutil.rmtree(archive, ignore_errors=True)
