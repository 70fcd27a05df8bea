from __future__ import annotations

import json

from tests.cli.conftest import MakeSweep, Runyard

from runyard.record import read_sweep


def test_tags_are_given_taken_and_shown(make_sweep: MakeSweep, runyard: Runyard):
    found = make_sweep()
    assert runyard("tag", found.name).stdout == f"{found.name}: first, second\n"
    assert runyard("tag", found.name, "+keep", "-first", "new").stdout == f"{found.name}: second, keep, new\n"
    assert read_sweep(found).tags == ("second", "keep", "new")


def test_a_tag_that_looks_like_options_can_be_taken(make_sweep: MakeSweep, runyard: Runyard):
    found = make_sweep(tags=("hot", "keep"))
    assert runyard("tag", found.name, "-hot").stdout == f"{found.name}: keep\n"
    assert runyard("tag", "-h").stdout.startswith("Usage: runyard tag")
    result = runyard("tag", found.name, "--keep")
    assert result.exit_code == 2 and read_sweep(found).tags == ("keep",)


def test_tags_as_json(make_sweep: MakeSweep, runyard: Runyard):
    found = make_sweep()
    facts = json.loads(runyard("tag", found.name, "+x", "--json").stdout)
    assert facts == {"sweep_id": found.name, "tags": ["first", "second", "x"]}


def test_a_note_is_given_shown_and_taken(make_sweep: MakeSweep, runyard: Runyard):
    found = make_sweep()
    assert runyard("note", found.name).stdout == f"{found.name}: a note\n"
    assert runyard("note", found.name, "two words").stdout == f"{found.name}: two words\n"
    assert "two words" in runyard("ls").stdout
    assert runyard("note", found.name, "").stdout == f"{found.name}: no note\n"
    assert json.loads(runyard("note", found.name, "x", "--json").stdout)["note"] == "x"


def test_ls_shows_the_tagged_sweep_as_before(make_sweep: MakeSweep, runyard: Runyard):
    found = make_sweep()
    before = json.loads(runyard("ls", "--json").stdout)
    runyard("tag", found.name, "+x")
    runyard("tag", found.name, "-x")
    assert json.loads(runyard("ls", "--json").stdout) == before
