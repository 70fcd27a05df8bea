from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from runyard.base import RecordError, State, SweepState
from runyard.record import RootPaths, SweepPaths
from runyard.registry import Condition, Registry, differences

from .conftest import MakeSweep, a_run

COMPLETED, FAILED, PENDING, RUNNING = State.COMPLETED, State.FAILED, State.PENDING, State.RUNNING


def everything(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables but for the row numbers, as SQLite has them."""
    with sqlite3.connect(RootPaths(root).registry) as db:
        sweeps = db.execute("SELECT * FROM sweeps ORDER BY path").fetchall()
        runs = db.execute("SELECT path, runs.* FROM runs JOIN sweeps ON number = sweep ORDER BY path, job").fetchall()
    db.close()
    return {"sweeps": [row[1:] for row in sweeps], "runs": [(row[0], *row[2:]) for row in runs]}


def test_a_sweep_comes_back_with_its_facts_and_its_runs(root: Path, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep()
    registry = Registry(root)
    registry.put(sweep_dir)
    [row] = registry.rows()
    assert (row["sweep_id"], row["state"], row["jobs"]) == ("20260131T120000Z-abc", "COMPLETED", 2)
    assert row["counts"] == {"COMPLETED": 1, "FAILED": 1}
    assert (row["tags"], row["git_dirty"], row["single"]) == (["first", "second"], False, False)
    assert row["path"] == str(sweep_dir)
    runs = registry.runs(row["sweep_id"])
    assert [(run["job"], run["state"], run["run_dir"]) for run in runs] == [(0, "COMPLETED", "0"), (1, "FAILED", "1")]
    assert runs[1]["metrics"] == {"acc": 0.1, "loss": "NaN"}
    assert runs[0]["git_sha"] == "abc123"


def test_rows_come_newest_first(root: Path, make_sweep: MakeSweep) -> None:
    registry = Registry(root)
    for day in (2, 3, 1):
        registry.put(make_sweep(f"s{day}", created_at=f"2026-01-0{day}T00:00:00.000Z"))
    assert [row["sweep_id"] for row in registry.rows()] == ["s3", "s2", "s1"]


def test_putting_again_replaces_and_does_not_double(root: Path, make_sweep: MakeSweep) -> None:
    registry = Registry(root)
    registry.put(make_sweep(states=(COMPLETED, FAILED, FAILED)))
    registry.put(make_sweep(states=(COMPLETED, COMPLETED), note="retried"))
    [row] = registry.rows()
    assert (row["note"], row["counts"]) == ("retried", {"COMPLETED": 2})
    assert [run["state"] for run in registry.runs(row["sweep_id"])] == ["COMPLETED", "COMPLETED", "FAILED"]


def test_only_the_given_runs_are_written(root: Path, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep(states=(COMPLETED, PENDING, PENDING), state=SweepState.RUNNING)
    registry = Registry(root)
    registry.put(sweep_dir)
    sweep_id = registry.rows()[0]["sweep_id"]
    registry.put(sweep_dir, runs=[a_run(sweep_dir, sweep_id, 2, COMPLETED)])
    assert [run["state"] for run in registry.runs(sweep_id)] == ["COMPLETED", "PENDING", "COMPLETED"]
    registry.put(sweep_dir, runs=[])
    assert len(registry.runs(sweep_id)) == 3


def test_a_put_of_few_runs_is_cheap_in_a_sweep_of_ten_thousand(root: Path, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep(states=(), state=SweepState.RUNNING)
    registry = Registry(root)
    registry.put(sweep_dir, runs=[a_run(sweep_dir, "s", job, PENDING) for job in range(10_000)])
    changed = [a_run(sweep_dir, "s", job) for job in range(100)]
    took = []
    for _ in range(5):
        started = time.perf_counter()
        registry.put(sweep_dir, runs=changed)
        took.append(time.perf_counter() - started)
    assert min(took) < 0.1


def test_the_registry_made_from_files_equals_the_one_that_grew(root: Path, make_sweep: MakeSweep) -> None:
    registry = Registry(root)
    for n in range(3):
        registry.put(make_sweep(f"s{n}", experiment=f"e{n % 2}", created_at=f"2026-01-0{n + 1}T00:00:00.000Z"))
    before, rows = everything(root), registry.rows()
    RootPaths(root).registry.unlink()
    assert registry.condition() is Condition.MISSING
    assert registry.reindex() == 3
    assert (everything(root), registry.rows()) == (before, rows)
    assert registry.reindex() == 3
    assert everything(root) == before
    assert differences(root) == []


def test_single_runs_and_hydras_own_places_are_found(root: Path, make_sweep: MakeSweep, tmp_path: Path) -> None:
    make_sweep("hydra", directory=root / "2026-01-31" / "12-00-00")
    make_sweep("deep", directory=root / "a" / "b" / "c" / "d")
    (root / "plain" / ".hydra").mkdir(parents=True)
    make_sweep("inside-of-a-plain-hydra-run", directory=root / "plain" / "x")
    make_sweep("hidden", directory=root / ".trash" / "x")
    registry = Registry(root)
    assert registry.reindex() == 2
    assert {row["sweep_id"] for row in registry.rows()} == {"hydra", "deep"}


def test_links_to_a_sweep_do_not_double_it(root: Path, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep()
    (root / "mnist" / "latest").symlink_to(sweep_dir.name)
    (root / "a-link").symlink_to(sweep_dir)
    assert Registry(root).reindex() == 1
    assert Registry(root).rows()[0]["path"] == str(sweep_dir)


def test_a_root_behind_a_link_gives_the_same_rows(root: Path, make_sweep: MakeSweep, tmp_path: Path) -> None:
    real = make_sweep()
    link = tmp_path / "elsewhere" / "runs"
    link.parent.mkdir()
    link.symlink_to(root)
    Registry(link).put(real)
    assert Registry(link).rows()[0]["path"] == str(link / "mnist" / real.name)
    assert differences(link) == []


def test_sweeps_that_were_deleted_or_are_damaged_leave_with_the_next_reindex(root: Path, make_sweep: MakeSweep) -> None:
    registry = Registry(root)
    for n in range(3):
        registry.put(make_sweep(f"s{n}"))
    SweepPaths(root / "mnist" / "s0").sweep_json.unlink()
    SweepPaths(root / "mnist" / "s1").sweep_json.write_text('{"schema": 1, "sweep_')
    assert registry.reindex() == 1
    assert [row["sweep_id"] for row in registry.rows()] == ["s2"]
    assert registry.runs("s1") == []


def test_bytes_that_are_no_text_do_not_stop_the_registry(root: Path, make_sweep: MakeSweep) -> None:
    make_sweep("odd", note="caf\udce9", command=("python", "caf\udce9"))
    make_sweep("path", directory=root / "mnist" / "caf\udce9")
    make_sweep("plain")
    assert Registry(root).reindex() == 2
    assert {row["note"] for row in Registry(root).rows()} == {"caf\\udce9", "a note"}
    assert differences(root) == ["sweep path is missing"]


def test_a_sweep_that_begins_while_the_registry_is_made_again_stays_in_it(root: Path, make_sweep: MakeSweep) -> None:
    class Meanwhile(Registry):
        def _batches(self, sweep_dirs: Any) -> Any:
            Registry(root).put(make_sweep("new"))
            yield from super()._batches(sweep_dirs)

    make_sweep("old")
    assert Meanwhile(root).reindex() == 1
    assert {row["sweep_id"] for row in Registry(root).rows()} == {"old", "new"}
    assert differences(root) == []


def test_a_sweep_record_of_wrong_types_is_refused_and_does_not_stop_the_others(
    root: Path, make_sweep: MakeSweep
) -> None:
    registry = Registry(root)
    make_sweep("good")
    bad = SweepPaths(make_sweep("bad")).sweep_json
    bad.write_text(bad.read_text().replace('"counts": {', '"counts": "none", "more": {'))
    odd = SweepPaths(make_sweep("odd")).sweep_json
    odd.write_text(odd.read_text().replace('"note": "a note"', '"note": ["a", "list"]'))
    with pytest.raises(RecordError, match="not a sweep record"):
        registry.put(bad.parent)
    assert registry.reindex() == 2


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda path: path.write_bytes(b"this is no database at all, not even nearly" * 100), Condition.DAMAGED),
        (lambda path: path.write_bytes(b""), Condition.OTHER_VERSION),
        (lambda path: sqlite(path, "PRAGMA user_version = 0"), Condition.OTHER_VERSION),
        (lambda path: sqlite(path, "DROP TABLE runs"), Condition.OTHER_VERSION),
        (lambda path: path.unlink(), Condition.MISSING),
    ],
)
def test_an_unusable_registry_is_noticed_and_made_again(
    spoil: Any, found: Condition, root: Path, make_sweep: MakeSweep
) -> None:
    registry = Registry(root)
    registry.put(make_sweep("one"))
    registry.put(make_sweep("two"))
    spoil(RootPaths(root).registry)
    assert registry.condition() is found
    registry.put(root / "mnist" / "one")
    assert registry.condition() is Condition.PARTIAL, "a controller does not read all the others"
    assert registry.reindex() == 2
    assert registry.condition() is Condition.WHOLE


def sqlite(path: Path, statement: str) -> None:
    db = sqlite3.connect(path)
    db.execute(statement)
    db.commit()
    db.close()


def test_the_first_sweep_of_a_root_makes_a_whole_registry(root: Path, make_sweep: MakeSweep, tmp_path: Path) -> None:
    Registry(root).put(make_sweep())
    assert Registry(root).condition() is Condition.WHOLE
    other = tmp_path / "other"
    Registry(other).put(make_sweep(directory=tmp_path / "kept" / "by-hydra"))
    assert Registry(other).condition() is Condition.WHOLE
    assert Registry(other).rows()[0]["path"] == str(tmp_path / "kept" / "by-hydra")


def test_nothing_is_made_by_looking(root: Path) -> None:
    registry = Registry(root)
    assert (registry.rows(), registry.runs("x"), registry.condition()) == ([], [], Condition.MISSING)
    registry.remove("x")
    assert not root.exists()


def test_a_removed_sweep_is_gone_from_the_registry_only(root: Path, make_sweep: MakeSweep) -> None:
    registry = Registry(root)
    sweep_dir = make_sweep("one")
    registry.put(sweep_dir)
    registry.remove("one")
    assert (registry.rows(), registry.runs("one")) == ([], [])
    assert registry.reindex() == 1


def test_a_registry_that_stays_locked_is_an_error_that_names_it(root: Path, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep()
    Registry(root).put(sweep_dir)
    holder = sqlite3.connect(RootPaths(root).registry, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(RecordError, match="in use by other processes"):
        Registry(root, busy_s=0.05).put(sweep_dir)
    assert len(Registry(root).rows()) == 1, "reading goes on meanwhile"
    holder.execute("ROLLBACK")
    holder.close()


PUT_OFTEN = """
import sys
from pathlib import Path
from runyard.record import read_runs
from runyard.registry import Registry
root, sweep_dir = Path(sys.argv[1]), Path(sys.argv[2])
runs = read_runs(sweep_dir)
for _ in range(25):
    Registry(root).put(sweep_dir, runs=runs)
"""


def test_many_sweeps_write_at_the_same_time(root: Path, make_sweep: MakeSweep) -> None:
    sweeps = [make_sweep(f"s{n}") for n in range(4)]
    writers = [subprocess.Popen([sys.executable, "-c", PUT_OFTEN, str(root), str(sweep)]) for sweep in sweeps]
    assert [writer.wait() for writer in writers] == [0] * 4
    assert len(Registry(root).rows()) == 4
    Registry(root).reindex()
    assert differences(root) == []


WRITE_FOR_EVER = """
import sys
from pathlib import Path
from runyard.record import read_runs
from runyard.registry import Registry
root, sweep_dir = Path(sys.argv[1]), Path(sys.argv[2])
print("ready", flush=True)
while True:
    Registry(root).put(sweep_dir)
"""


def test_a_writer_killed_at_any_moment_leaves_a_registry_that_opens(root: Path, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep(states=(COMPLETED,) * 200)
    for n in range(8):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITE_FOR_EVER, str(root), str(sweep_dir)], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.03 * n)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        Registry(root).put(sweep_dir)
        assert len(Registry(root).runs(sweep_dir.name)) == 200
    assert differences(root) == []


def test_runs_are_found_by_their_keys_the_newest_sweeps_first(root: Path, make_sweep: MakeSweep) -> None:
    registry = Registry(root)
    assert registry.runs_with_keys(["key0"]) == {}
    older = make_sweep("20260131T120000Z-abc", created_at="2026-01-31T12:00:00.000Z")
    newer = make_sweep("20260201T120000Z-abc", created_at="2026-02-01T12:00:00.000Z", states=(FAILED,))
    for sweep_dir in (newer, older):
        registry.put(sweep_dir)
    found = registry.runs_with_keys(["key0", "key1", "key2"])
    assert {key: [(run["sweep_dir"], run["state"]) for run in runs] for key, runs in found.items()} == {
        "key0": [(str(newer), "FAILED"), (str(older), "COMPLETED")],
        "key1": [(str(older), "FAILED")],
    }
    assert found["key1"][0]["run_dir"] == str(older / "1")


def test_the_first_runs_of_a_sweep_can_be_had_alone(root: Path, make_sweep: MakeSweep) -> None:
    registry = Registry(root)
    registry.put(make_sweep(states=(COMPLETED,) * 5))
    assert [run["job"] for run in registry.runs("20260131T120000Z-abc", limit=2)] == [0, 1]
