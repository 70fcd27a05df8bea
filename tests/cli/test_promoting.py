from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from tests.cli.conftest import MakeSweep, Runyard

from runyard.base import State


@pytest.fixture
def promotable(make_sweep: MakeSweep) -> Path:
    """A sweep whose job 0 reports that its gates passed, with the config that its run key is of."""
    from omegaconf import OmegaConf

    from runyard.compose import run_key
    from runyard.record import read_run, write_run

    found = make_sweep(states=(State.COMPLETED, State.FAILED), provenance={})
    (found / "0" / ".hydra").mkdir()
    config = {"lr": 0.5, "seed": 1}
    OmegaConf.save(OmegaConf.create(config), found / "0" / ".hydra" / "config.yaml")
    OmegaConf.save(
        OmegaConf.create({"hydra": {"runtime": {"choices": {"hydra/launcher": "basic"}}}}),
        found / "0" / ".hydra" / "hydra.yaml",
    )
    run = read_run(found / "0")
    assert run is not None
    import dataclasses

    write_run(
        dataclasses.replace(run, run_key=run_key(OmegaConf.create(config)), metrics={"acc": 0.5, "gates_passed": 1})
    )
    Path("conf").mkdir()
    return found


def test_promote_says_what_it_made_and_how_to_use_it(promotable: Path, runyard: Runyard):
    result = runyard("promote", f"{promotable.name}/0", "--no-trial", "--name", "best")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == f"promoted {promotable.name}/0 as best"
    assert "  config   conf/production/best.yaml" in lines
    assert "  use it   python train.py +production=best" in lines
    assert Path("conf/production/best.yaml").read_text().endswith("lr: 0.5\nseed: 1\n")


def test_promote_shows_the_config_in_a_dry_run(promotable: Path, runyard: Runyard):
    result = runyard("promote", promotable / "0", "--no-trial", "--dry-run")
    assert "would promote" in result.stdout and "# @package _global_" in result.stdout
    assert not Path("conf/production").exists()


def test_promote_gives_its_facts_as_json(promotable: Path, runyard: Runyard):
    facts = json.loads(runyard("promote", f"{promotable.name}/0", "--no-trial", "--json").stdout)
    assert facts["name"] == "mnist" and facts["written"] is True and facts["replaced"] is None
    facts = json.loads(runyard("promote", f"{promotable.name}/0", "--no-trial", "--force", "--json").stdout)
    assert facts["replaced"] == f"{promotable.name}/0"


def test_a_refusal_is_wrong_usage(promotable: Path, runyard: Runyard):
    result = runyard("promote", f"{promotable.name}/1", "--no-trial")
    assert result.exit_code == 2 and "is FAILED" in result.stderr
    result = runyard("promote", f"{promotable.name}/0", "--no-trial", "--require", "acc > 0.9")
    assert result.exit_code == 2 and "does not meet 'acc > 0.9'" in result.stderr
    result = runyard("promote", f"{promotable.name}/0", "--no-trial", "--conf-dir", "none")
    assert result.exit_code == 2 and "no directory none" in result.stderr


def test_a_champion_goes_to_the_leaderboard(promotable: Path, runyard: Runyard):
    name = f"{promotable.name}/0"
    assert runyard("leaderboard", promotable.name).exit_code == 0
    runyard("promote", name, "--no-trial", "--name", "best", "--leaderboard", "leaderboard.csv")
    runyard("leaderboard", name)
    with Path("leaderboard.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["run_id"], row["label"], row["config"]) == (name, "champion", "production/best")


def test_the_leaderboard_shows_the_best_first(make_sweep: MakeSweep, runyard: Runyard):
    found = make_sweep(states=(State.COMPLETED, State.COMPLETED, State.FAILED))
    result = runyard("leaderboard", found.name, "--metric", "acc", "--md", "docs/board.md")
    assert [line.split()[0] for line in result.stdout.splitlines()[1:]] == [f"{found.name}/1", f"{found.name}/0"]
    assert result.stderr == "leaderboard.csv: 2 new, 0 changed, 2 in all\n"
    assert Path("docs/board.md").read_text().startswith("# Leaderboard\n")
    result = runyard("leaderboard", found.name, "--metric", "acc", "--mode", "min")
    assert result.stderr == "leaderboard.csv: 0 new, 0 changed, 2 in all\n"
    assert result.stdout.splitlines()[1].startswith(f"{found.name}/0")


def test_label_notes_and_tags_are_put_down(make_sweep: MakeSweep, runyard: Runyard):
    found = make_sweep()
    runyard("leaderboard", f"{found.name}/0", "--label", "small_eval", "--notes", "first try", "--tag", "x")
    (row,) = json.loads(runyard("leaderboard", "--json").stdout)
    assert (row["label"], row["notes"], row["tags"]) == ("small_eval", "first try", "first;second;x")


def test_what_has_no_completed_run_has_no_place(make_sweep: MakeSweep, runyard: Runyard):
    found = make_sweep(states=(State.FAILED,))
    result = runyard("leaderboard", found.name)
    assert result.exit_code == 2 and "no run of it is COMPLETED" in result.stderr


def test_an_empty_leaderboard_says_so_and_an_unknown_metric_lists_the_known(make_sweep: MakeSweep, runyard: Runyard):
    assert "the leaderboard is empty" in runyard("leaderboard").stdout
    result = runyard("leaderboard", make_sweep().name, "--metric", "acx")
    assert result.exit_code == 2 and "did you mean 'acc'?" in result.stderr
