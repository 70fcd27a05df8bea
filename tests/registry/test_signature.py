from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runyard.base import State, SweepState
from runyard.record import Journal, PlanRow, RunPaths, SweepPaths, read_run, write_plan, write_run
from runyard.registry import Registry, differences
from runyard.registry.signature import signature_of

from .conftest import MakeSweep


def rewrite_run(sweep_dir: Path, job: int, **changes: Any) -> None:
    run = read_run(sweep_dir / str(job))
    assert run is not None
    write_run(replace(run, **changes))


def add_event(sweep_dir: Path) -> None:
    with Journal(SweepPaths(sweep_dir).journal) as journal:
        journal.append("stopped", interrupted=False)


def add_part(sweep_dir: Path) -> None:
    SweepPaths(sweep_dir).parts.mkdir()
    (SweepPaths(sweep_dir).parts / "7_0.jsonl").write_text("{}\n")


def add_plan(sweep_dir: Path) -> None:
    rows = [PlanRow(job=n, run_key=f"key{n}", run_dir=str(n), values={"lr": str(n)}) for n in range(3)]
    write_plan(SweepPaths(sweep_dir).plan_csv, rows, ["lr"])


@pytest.mark.parametrize(
    "change",
    [
        add_event,
        add_part,
        add_plan,
        lambda sweep_dir: rewrite_run(sweep_dir, 0, metrics={"acc": 0.75}),
        lambda sweep_dir: RunPaths(sweep_dir / "1").run_json.unlink(),
        lambda sweep_dir: os.utime(SweepPaths(sweep_dir).sweep_json, ns=(1, 1)),
    ],
)
def test_any_change_of_what_rows_are_made_from_is_seen(change: Callable[[Path], Any], make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep()
    before = signature_of(sweep_dir)
    assert signature_of(sweep_dir) == before
    change(sweep_dir)
    assert signature_of(sweep_dir) != before


def test_a_new_run_is_seen_with_a_plan_and_without(make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep()
    for step in (lambda: None, lambda: add_plan(sweep_dir)):
        step()
        before = signature_of(sweep_dir)
        run = read_run(sweep_dir / "0")
        assert run is not None
        (sweep_dir / "2").mkdir(exist_ok=True)
        write_run(replace(run, job=2, run_dir=str(sweep_dir / "2")))
        assert signature_of(sweep_dir) != before


def test_what_does_not_belong_to_the_rows_is_not_looked_at(make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep()
    before = signature_of(sweep_dir)
    (sweep_dir / "results.csv").write_text("job\n")
    (sweep_dir / "0" / "model.npz").write_bytes(b"0")
    assert signature_of(sweep_dir) == before


def test_reindex_reads_what_changed_and_nothing_else(root: Path, make_sweep: MakeSweep) -> None:
    registry = Registry(root)
    same, changed = make_sweep("same"), make_sweep("changed")
    registry.reindex()
    # a lie that keeps time and size: only a look into the file could find it
    path = RunPaths(same / "0").run_json
    stat, text = path.stat(), path.read_text()
    path.write_text(text.replace('"acc": 0.0', '"acc": 9.9'))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    rewrite_run(changed, 0, metrics={"acc": 0.75})
    assert registry.reindex() == 2
    assert registry.runs("same")[0]["metrics"]["acc"] == 0.0
    assert registry.runs("changed")[0]["metrics"]["acc"] == 0.75
    assert registry.reindex(full=True) == 2
    assert registry.runs("same")[0]["metrics"]["acc"] == 9.9


def test_reindex_after_nothing_changed_writes_nothing(root: Path, make_sweep: MakeSweep) -> None:
    registry = Registry(root)
    make_sweep("one")
    registry.reindex()
    file = root / ".runyard" / "registry.sqlite"
    before = file.read_bytes(), file.stat().st_mtime_ns
    assert registry.reindex() == 1
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before


def test_runs_put_one_by_one_are_looked_at_once_more(root: Path, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep(states=(State.COMPLETED, State.COMPLETED))
    registry = Registry(root)
    registry.put(sweep_dir)
    run = read_run(sweep_dir / "0")
    assert run is not None
    registry.put(sweep_dir, runs=[replace(run, metrics={"acc": 5.0})])
    assert registry.runs(sweep_dir.name)[0]["metrics"] == {"acc": 5.0}
    registry.reindex()
    assert registry.runs(sweep_dir.name)[0]["metrics"] == {"acc": 0.0, "loss": "NaN"}
    assert differences(root) == []


def test_a_glance_sees_new_changed_gone_and_running_sweeps(root: Path, make_sweep: MakeSweep) -> None:
    registry = Registry(root)
    for name in ("changed", "gone", "same"):
        make_sweep(name)
    at_work = make_sweep("at-work", state=SweepState.RUNNING)
    registry.catch_up()
    make_sweep("changed", note="another")
    make_sweep("new")
    SweepPaths(root / "mnist" / "gone").sweep_json.unlink()
    rewrite_run(at_work, 0, metrics={"acc": 0.5})
    assert registry.catch_up() == 4
    assert {row["sweep_id"]: row["note"] for row in registry.rows()} == {
        "changed": "another",
        "new": "a note",
        "same": "a note",
        "at-work": "a note",
    }
    assert registry.runs("at-work")[0]["metrics"] == {"acc": 0.5}
    assert json.dumps(registry.runs("gone")) == "[]"
