from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runyard.cli.entry import Commands
from runyard.cli.importing import import_sweeps
from runyard.record import read_run, read_runs, read_sweep
from runyard.registry import find_runs, find_sweep, list_sweeps

from .conftest import MakeSweep, Runyard


class Alone(Commands):
    """The group of commands with this one, under whatever name it is known."""

    def resolve_command(self, ctx: object, args: list[str]) -> tuple[str, object, list[str]]:  # type: ignore[override]
        return "import", import_sweeps, args


def take(*words: str | Path) -> Result:
    result = CliRunner().invoke(Alone(), list(map(str, words)), prog_name="runyard import")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def hydra_yaml(number: int | None, overrides: list[str], version: str) -> str:
    """What Hydra of a version writes, as far as it is read: 1.1 knows neither the mode nor the output directory."""
    lines = ["hydra:", "  launcher:", "    _target_: hydra._internal.core_plugins.basic_launcher.BasicLauncher"]
    lines += ["  overrides:", "    hydra: []", f"    task: {json.dumps(overrides)}", "  job:", "    name: train"]
    lines += [f"    num: {'???' if number is None else number}", "  runtime:", f"    version: {version}"]
    lines += ["    cwd: /home/u/project", "    choices:", "      hydra/launcher: basic"]
    return "\n".join([*lines, *([] if version.startswith("1.1") else ["  mode: MULTIRUN"])]) + "\n"


def plain_sweep(folder: Path, version: str = "1.3.2", jobs: int = 3) -> Path:
    folder.mkdir(parents=True)
    (folder / "multirun.yaml").write_text(hydra_yaml(None, ["lr=0.1,0.2,0.3", "seed=1", "db.password=x"], version))
    for n in range(jobs):
        overrides = [f"lr=0.{n + 1}", "seed=1", "db.password=x"]
        inside = folder / str(n) / ".hydra"
        inside.mkdir(parents=True)
        (inside / "overrides.yaml").write_text("".join(f"- {text}\n" for text in overrides))
        (inside / "hydra.yaml").write_text(hydra_yaml(n, overrides, version))
        (inside / "config.yaml").write_text(f"lr: 0.{n + 1}\nseed: 1\n")
        (folder / str(n) / "train.log").write_text("[2024-01-31 12:00:00,000][root][INFO] - hello\n")
    return folder


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def plain(project: Path) -> Path:
    return plain_sweep(project / "multirun" / "2024-01-31" / "12-00-00")


@pytest.mark.parametrize("version", ["1.1.2", "1.2.0", "1.3.2"])
def test_a_sweep_of_plain_hydra_is_listed_shown_and_asked_like_all_others(
    version: str, project: Path, runyard: Runyard
) -> None:
    sweep_dir = plain_sweep(project / "multirun" / "2024-01-31" / "12-00-00", version)
    assert take("multirun").exit_code == 0
    [row] = json.loads(runyard("ls", "--json").stdout)
    assert (row["experiment"], row["jobs"], row["launcher"], row["tags"]) == ("train", 3, "basic", ["imported"])
    assert row["overrides"] == ["lr=0.1,0.2,0.3", "seed=1", "db.password=***"]
    assert read_sweep(sweep_dir).provenance["imported"]["hydra"] == version
    assert [run.params for run in read_runs(sweep_dir)] == [{"lr": 0.1}, {"lr": 0.2}, {"lr": 0.3}]
    assert find_sweep("latest", [project / "multirun"]) == sweep_dir
    assert runyard("show", "latest/1").exit_code == 0
    assert len(json.loads(runyard("results", "latest", "--json").stdout)) == 3
    assert find_runs([project / "multirun"], "params.lr > 0.15").total == 2


def test_nothing_is_invented(plain: Path, runyard: Runyard) -> None:
    take("multirun")
    sweep = read_sweep(plain)
    assert (sweep.state.value, sweep.counts, sweep.command, sweep.finished_at) == ("LOST", {"LOST": 3}, (), None)
    run = read_run(plain / "0")
    assert run is not None
    assert (run.state.value, run.attempts, run.seconds, run.metrics, run.run_key) == ("LOST", (), None, {}, "")
    assert "git" not in run.provenance
    assert "runyard resume" not in runyard("ls").stdout, "there is no command that could be run again"


def test_no_file_that_was_there_is_touched_and_a_second_time_changes_nothing(plain: Path) -> None:
    before = files(plain)
    take("multirun")
    first = files(plain)
    assert {name: first[name] for name in before} == before
    assert set(first) - set(before) == {"sweep.json", "plan.csv", "0/run.json", "1/run.json", "2/run.json"}
    again = take("multirun")
    assert files(plain) == first
    assert again.stdout.startswith("unchanged")


def test_a_dry_run_writes_nothing(plain: Path, project: Path) -> None:
    before = files(project)
    assert "would be new" in take("multirun", "--dry-run").stdout
    assert files(project) == before


@pytest.mark.parametrize(
    ("name", "text", "metrics"),
    [
        ("metrics.json", '{"acc": 0.5, "eval": {"loss": NaN}, "name": "x", "ok": true}', {"acc": 0.5, "ok": 1}),
        ("results.csv", "step,loss,acc\n1,0.5,\n2,0.25,0.75\n3,,\n", {"step": 3, "loss": 0.25, "acc": 0.75}),
        ("log/metrics.jsonl", '{"step": 1, "loss": 2}\n{"step": 2}\n', {"step": 2, "loss": 2}),
        ("metrics.yaml", "acc: 1\neval:\n  f1: 0.5\n", {"acc": 1, "eval/f1": 0.5}),
    ],
)
def test_metrics_come_from_files_and_show_that_a_job_completed(
    name: str, text: str, metrics: dict[str, float], plain: Path
) -> None:
    for job in (0, 1):
        (plain / str(job) / name).parent.mkdir(exist_ok=True)
        (plain / str(job) / name).write_text(text)
    take("multirun", "--metrics", name)
    runs = read_runs(plain)
    assert {k: v for k, v in runs[0].metrics.items() if k != "eval/loss"} == metrics
    assert [run.state.value for run in runs] == ["COMPLETED", "COMPLETED", "LOST"]
    assert runs[0].provenance["imported"]["shown_by"] == name
    assert read_sweep(plain).state.value == "FAILED"
    take("multirun")
    assert read_runs(plain)[0].state.value == "COMPLETED", "which file it was is remembered"


def test_what_hydra_itself_logged_of_a_jobs_end_is_believed(plain: Path) -> None:
    head = "[2024-01-31 12:00:01,000][hydra.experimental.callbacks.LogJobReturnCallback]"
    (plain / "0" / "train.log").write_text(f"{head}[INFO] - Succeeded with return value: 0.25\n")
    (plain / "1" / "train.log").write_text(f"{head}[ERROR] - \nTraceback (most recent call last):\n")
    take("multirun")
    runs = read_runs(plain)
    assert [run.state.value for run in runs] == ["COMPLETED", "FAILED", "LOST"]
    assert runs[0].metrics == {"return_value": 0.25}


def test_a_metrics_file_that_cannot_be_read_is_told_of_and_shows_nothing(plain: Path) -> None:
    (plain / "0" / "metrics.json").write_text("{")
    result = take("multirun", "--metrics", "metrics.json")
    assert "job 0: metrics.json cannot be read" in result.stderr
    assert read_runs(plain)[0].state.value == "LOST"


def test_the_experiment_can_be_named_and_a_persons_words_stay(plain: Path, project: Path) -> None:
    take("multirun", "--experiment", "old")
    text = (plain / "sweep.json").read_text()
    (plain / "sweep.json").write_text(text.replace('"note": ""', '"note": "the good one"'))
    (plain / "0" / "metrics.json").write_text('{"acc": 1}')
    take("multirun", "--metrics", "metrics.json")
    sweep = read_sweep(plain)
    assert (sweep.experiment, sweep.note) == ("old", "the good one")
    assert [row["note"] for row in list_sweeps(project / "multirun")] == ["the good one"]


def test_files_of_the_user_with_our_names_are_left_alone(plain: Path) -> None:
    (plain / "plan.csv").write_text("mine\n")
    before = files(plain)
    result = take("multirun")
    assert result.exit_code == 1
    assert "plan.csv is there already" in result.stderr
    assert files(plain) == before


def test_sweeps_that_runyard_made_are_left_out(project: Path, make_sweep: MakeSweep, plain: Path) -> None:
    ours = make_sweep()
    (ours / "multirun.yaml").write_text("hydra: {}\n")
    result = take("multirun")
    assert result.exit_code == 0
    assert "Runyard made it" in result.stderr
    assert "imported" not in read_sweep(ours).tags


def test_sweeps_of_one_second_get_names_of_their_own(project: Path) -> None:
    for experiment in ("a", "b"):
        plain_sweep(project / "multirun" / experiment / "2024-01-31" / "12-00-00")
    take("multirun")
    assert sorted(row["sweep_id"][16:] for row in list_sweeps(project / "multirun")) == ["-imported", "-imported-2"]


def test_a_tree_elsewhere_is_known_to_the_registry_here(project: Path, runyard: Runyard, tmp_path: Path) -> None:
    elsewhere = plain_sweep(tmp_path / "archive" / "x")
    take("archive")
    [row] = json.loads(runyard("ls", "--json").stdout)
    assert row["path"] == str(elsewhere)
    (project / "multirun" / ".runyard" / "registry.sqlite").unlink()
    assert len(json.loads(runyard("ls", "--json").stdout)) == 1, "the index knows it too"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "no directory nowhere"),
        (["."], "there is no sweep of Hydra's"),
        ([".", "--metrics", "../x.json"], "cannot be a job's metrics file"),
        ([".", "--metrics", "x.pkl"], "ends with .json, .jsonl, .csv"),
    ],
)
def test_wrong_words_are_answered(words: list[str], said: str, project: Path) -> None:
    os.makedirs(project / "empty", exist_ok=True)
    result = take(*words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_damaged_trees_do_not_stop_the_others(plain: Path, project: Path) -> None:
    bad = plain_sweep(project / "multirun" / "2024-02-01" / "12-00-00")
    (bad / "multirun.yaml").write_text("hydra: [")
    result = take("multirun")
    assert "not YAML" in result.stderr
    assert result.exit_code == 0
    assert len(list_sweeps(project / "multirun")) == 1
