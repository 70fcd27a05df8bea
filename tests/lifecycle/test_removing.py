from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest
from tests.conftest import Shell
from tests.lifecycle.conftest import MakeSweep, sweep

from runyard.base import RecordError, State, SweepBusy, SweepState, UsageError
from runyard.lifecycle import Removal, plan_removal, promote, remove
from runyard.record import SweepPaths, read_run, read_runs
from runyard.registry import Registry, list_sweeps


def plan(sweep_dir: Path, job: int | None = None, *, conf: Path | None = None) -> Removal:
    root = sweep_dir.parent.parent
    return plan_removal(sweep_dir, job, root=root, roots=[root], conf_dirs=[conf] if conf else [])


def test_a_sweep_is_removed_with_its_places(make_sweep: MakeSweep):
    found, other = make_sweep("20260101T000000Z-a"), make_sweep("20260102T000000Z-b")
    root = found.parent.parent
    Registry(root).reindex()
    removal = plan(found)
    assert removal.refused == "" and removal.frees_bytes >= 20_000
    assert remove(removal) == ""
    assert not found.exists() and sorted(p.name for p in found.parent.iterdir()) == [other.name]
    assert [row["sweep_id"] for row in Registry(root).rows()] == [other.name]


def test_a_run_s_files_go_and_its_result_stays(project: Shell):
    found = sweep(project, "lr=0.1,0.3")
    remove(plan(found, 0))
    assert not (found / "0").exists() and (found / "1" / "weights.npz").exists()
    runs = read_runs(found)
    assert runs[0].state is State.COMPLETED and runs[0].metrics["width"] == 4
    with pytest.raises(UsageError, match="job 0 has no files any more"):
        plan(found, 0)


def test_a_result_whose_files_are_gone_is_not_taken_over(project: Shell):
    found = sweep(project, "lr=0.1,0.3")
    remove(plan(found, 0))
    again = sweep(project, "lr=0.1,0.3", "hydra.sweeper.reuse=completed")
    assert [run.reused is None for run in read_runs(again)] == [True, False]
    assert (again / "0" / "weights.npz").exists()


@pytest.mark.parametrize("forgets", ["nothing", "champions", "note"])
def test_what_was_promoted_is_never_removed(project: Shell, forgets: str):
    found, conf = sweep(project, "lr=0.1,0.3", "limit=1"), project.cwd / "conf"
    promote(found, 1, conf_dir=conf, name="first", trial=False)
    promote(found, 0, conf_dir=conf, name="first", force=True, trial=False)
    if forgets == "champions":
        (conf / "production" / "champions.json").unlink()
    elif forgets == "note":
        (found / "promoted.json").unlink()
    for job in (0, 1, None):
        removal = plan(found, job, conf=conf)
        assert "was promoted as 'first'" in removal.refused
        with pytest.raises(UsageError, match="stays"):
            remove(removal)
    assert (found / "0" / "weights.npz").exists() and (found / "1" / "weights.npz").exists()


def test_a_job_beside_a_promoted_one_can_go(project: Shell):
    found, conf = sweep(project, "lr=0.1,0.3", "limit=1"), project.cwd / "conf"
    promote(found, 1, conf_dir=conf, trial=False)
    assert plan(found, 0, conf=conf).refused == ""


def test_what_is_tagged_keep_stays(make_sweep: MakeSweep):
    found = make_sweep(tags=("keep", "other"))
    assert plan(found).refused == "is tagged 'keep'" == plan(found, 0).refused


def test_results_that_another_sweep_took_over_stay(project: Shell):
    found = sweep(project, "lr=0.1,0.3")
    again = sweep(project, "lr=0.3", "hydra.sweeper.reuse=completed")
    assert plan(found).refused == f"job 1: its result is also that of {again.name}/0"
    assert plan(found, 1).refused and not plan(found, 0).refused
    assert plan(again).refused == ""


def test_the_baseline_of_another_sweep_stays(make_sweep: MakeSweep):
    found, other = make_sweep("20260101T000000Z-a"), make_sweep("20260102T000000Z-b")
    path = SweepPaths(other).sweep_json
    path.write_text(json.dumps({**json.loads(path.read_text()), "baseline": str(found)}))
    assert plan(found).refused == f"is the baseline of {other.name}"


def test_what_a_link_leads_to_stays(make_sweep: MakeSweep):
    found = make_sweep()
    root = found.parent.parent
    (root / "study" / "latest").symlink_to(found.name)
    (found / "mine").symlink_to("0")
    assert plan(found).refused == "", "latest is passed on, and links inside go along"
    (root / "best").symlink_to(found / "1" / "weights.npz")
    assert plan(found, 0).refused == ""
    assert plan(found, 1).refused == f"job 1: the link {root / 'best'} leads to it"


def test_a_running_sweep_is_refused(make_sweep: MakeSweep):
    found = make_sweep(state=SweepState.RUNNING, controller={"pid": 1, "host": "elsewhere", "since": "2026"})
    removal = plan(found)
    assert removal.refused.startswith("is running: process 1 on elsewhere")
    with pytest.raises(SweepBusy):
        remove(dataclasses.replace(removal, refused=""))
    assert found.is_dir()


def test_files_that_have_another_name_free_nothing(make_sweep: MakeSweep, tmp_path: Path):
    found = make_sweep()
    before = plan(found, 0).frees_bytes
    os.link(found / "0" / "weights.npz", tmp_path / "other")
    assert before - plan(found, 0).frees_bytes >= 10_000
    os.link(found / "1" / "weights.npz", found / "1" / "twin")
    assert plan(found, 1).frees_bytes == before


def test_a_run_outside_its_sweep_is_not_removed(make_sweep: MakeSweep, tmp_path: Path):
    found = make_sweep()
    (found / "0").rename(tmp_path / "outside")
    (found / "0").symlink_to(tmp_path / "outside")
    with pytest.raises(UsageError, match="do not lie inside its sweep"):
        plan(found, 0)
    run = read_run(tmp_path / "outside")
    assert run is not None and run.job == 0


def test_a_single_run_is_removed_whole(make_sweep: MakeSweep):
    found = make_sweep(states=(State.COMPLETED,), single=True)
    removal = plan(found, 0)
    assert removal.job is None and removal.folder == found
    remove(removal)
    assert list_sweeps(found.parent.parent) == []


def test_a_damaged_history_of_promotions_keeps_everything(make_sweep: MakeSweep):
    found = make_sweep()
    (found / "promoted.json").write_text("{}")
    with pytest.raises(RecordError):
        plan(found)
    assert found.is_dir()
