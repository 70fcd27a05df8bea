from __future__ import annotations

import csv
import signal
from pathlib import Path

import pytest
from tests.conftest import Shell, wait_for
from tests.lifecycle.conftest import MakeSweep, sweep

from runyard.base import SweepBusy, UsageError
from runyard.lifecycle import note_sweep, tag_sweep
from runyard.record import RootPaths, SweepPaths, read_sweep
from runyard.registry import Registry


def test_tags_come_and_go(make_sweep: MakeSweep):
    found = make_sweep(tags=("first",))
    assert tag_sweep(found, ["+keep", "good", "-first"], root=None).record.tags == ("keep", "good")
    assert tag_sweep(found, ["+good"], root=None).record.tags == ("keep", "good")
    assert read_sweep(found).tags == ("keep", "good")


def test_a_tag_that_is_not_there_cannot_be_taken(make_sweep: MakeSweep):
    found = make_sweep(tags=("first",))
    with pytest.raises(UsageError, match=r"has no tag 'frist'(.|\n)*it has first"):
        tag_sweep(found, ["+new", "-frist"], root=None)
    assert read_sweep(found).tags == ("first",)


@pytest.mark.parametrize("change", ["", "+", "a b", "a;b", "++a", "+a,b"])
def test_what_is_no_tag_is_refused(make_sweep: MakeSweep, change: str):
    with pytest.raises(UsageError, match="cannot be a tag"):
        tag_sweep(make_sweep(), [change], root=None)


def test_a_note_takes_the_place_of_the_one_before(make_sweep: MakeSweep):
    found = make_sweep(note="old")
    note_sweep(found, "  new words\n", root=None)
    assert read_sweep(found).note == "new words"
    note_sweep(found, "", root=None)
    assert read_sweep(found).note == ""


def test_registry_and_index_know_it(project: Shell):
    found, root = sweep(project, "lr=0.1,0.3"), project.cwd / "multirun"
    tag_sweep(found, ["+keep"], root=root)
    note_sweep(found, "the good one", root=root)
    (row,) = Registry(root).rows()
    assert row["tags"] == ["keep"] and row["note"] == "the good one"
    assert len(Registry(root).runs(found.name)) == 2
    with RootPaths(root).index_csv.open() as file:
        (line,) = csv.DictReader(file)
    assert (line["tags"], line["note"]) == ("keep", "the good one")


def test_collecting_and_resuming_keep_them(project: Shell):
    found = sweep(project, "lr=0.1,0.3", "fails=true,false", check=1)
    tag_sweep(found, ["+keep"], root=project.cwd / "multirun")
    note_sweep(found, "mine", root=project.cwd / "multirun")
    project.runyard("collect", found.name, check=0)
    project.runyard("resume", found.name, check=1)
    record = read_sweep(found)
    assert (record.tags, record.note) == (("keep",), "mine")


def test_a_sweep_whose_controller_runs_is_refused(project: Shell):
    process = project.start_app("marked_app", "-m", "+runyard=local", "i=0,1", "hang_at=0")
    lock = wait_for(lambda: next((project.cwd / "multirun").glob("*/2*/.controller"), None))
    found: Path = lock.parent
    wait_for(lambda: SweepPaths(found).sweep_json.exists() and lock.read_text())
    with pytest.raises(SweepBusy, match="is running and cannot be changed"):
        tag_sweep(found, ["+keep"], root=None)
    process.send_signal(signal.SIGINT)
    process.wait()
    assert tag_sweep(found, ["+keep"], root=None).record.tags == ("keep",)
