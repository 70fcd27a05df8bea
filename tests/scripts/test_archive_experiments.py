"""The front over experiments that are folders: what it lists, and what it moves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.conftest import REPO

SCRIPT = REPO / "scripts" / "archive_experiments.py"
DAY_S = 86400


def run(cwd: Path, *words: str, check: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *words], cwd=cwd, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == check, done.stdout + done.stderr
    return done.stdout if check == 0 else done.stdout + done.stderr


def experiment(cwd: Path, name: str, *, notes: str = "", age_days: float = 0, **metadata: str) -> Path:
    folder = cwd / "experiments" / name
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("lr: 0.1\n")
    (folder / "notes.md").write_text(notes)
    if metadata:
        (folder / "metadata.json").write_text(json.dumps(metadata))
    moment = time.time() - age_days * DAY_S
    for path in (*folder.iterdir(), folder):
        os.utime(path, (moment, moment))
    return folder


def report(cwd: Path, stem: str, **values: object) -> Path:
    path = cwd / "reports" / f"{stem}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(values))
    return path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The example of the requirements: one experiment, and a report whose gates passed."""
    experiment(tmp_path, "2025-01-22-test-64dim")
    report(tmp_path, "test_2025-01-22-test-64dim", final_nrmse=0.08, gates_passed=True)
    return tmp_path


def test_the_list_is_that_of_the_requirements(place: Path):
    assert run(place, "--list-only") == (
        "Found 1 experiment(s) in experiments\n"
        "\n"
        "Experiment Summary:\n"
        "  Active: 0\n"
        "  Success: 1\n"
        "  Failed: 0\n"
        "  Stale: 0\n"
        "\n"
        "SUCCESS:\n"
        "  - 2025-01-22-test-64dim\n"
    )


def test_the_dry_run_is_that_of_the_requirements(place: Path):
    assert run(place, "--status", "success", "--dry-run").endswith(
        "[DRY RUN] Would archive: 2025-01-22-test-64dim\n"
        "  Status: success\n"
        "  Archive to: experiments-archive/2025-01-22-test-64dim\n"
        "  Files to copy:\n"
        "    - config.yaml\n"
        "    - notes.md\n"
        "  Reports: 1 files\n"
    )
    assert (place / "experiments" / "2025-01-22-test-64dim").is_dir() and not (place / "experiments-archive").exists()


def test_an_archived_experiment_has_its_files_its_reports_and_metadata(place: Path):
    (place / "experiments" / "2025-01-22-test-64dim" / "metadata.json").write_text('{"owner": "me"}')
    run(place, "--status", "success")
    target = place / "experiments-archive" / "2025-01-22-test-64dim"
    assert not (place / "experiments" / "2025-01-22-test-64dim").exists()
    assert (target / "config.yaml").read_text() == "lr: 0.1\n" and (target / "notes.md").exists()
    assert json.loads((target / "reports" / "test_2025-01-22-test-64dim.json").read_text())["final_nrmse"] == 0.08
    metadata = json.loads((target / "metadata.json").read_text())
    assert (metadata["owner"], metadata["status"]) == ("me", "success")
    assert metadata["archived_from"] == "experiments/2025-01-22-test-64dim" and metadata["archived_at"].endswith("Z")


def test_each_status_is_found(tmp_path: Path):
    experiment(tmp_path, "2025-01-01-new")
    experiment(tmp_path, "2025-01-02-middle", age_days=20)
    experiment(tmp_path, "2025-01-03-old", age_days=40)
    trained = experiment(tmp_path, "2025-01-04-trained", age_days=40)
    (trained / "checkpoints").mkdir()
    (trained / "checkpoints" / "last.npz").write_bytes(b"x")
    experiment(tmp_path, "2025-01-05-good", notes="it works \u2713", age_days=40)
    experiment(tmp_path, "2025-01-06-bad", notes="\u2717 diverges")
    experiment(tmp_path, "2025-01-07-gates", notes="\u2713")
    report(tmp_path, "eval_2025-01-07-gates", gates_passed=False)
    experiment(tmp_path, "2025-01-08-error")
    report(tmp_path, "2025-01-08-error_run", error="NaN in step 3")
    experiment(tmp_path, "2025-01-09-said", notes="\u2717", status="success")
    text = run(tmp_path, "--list-only")
    sections = {part.split(":")[0]: part.split("\n  - ")[1:] for part in text.strip().split("\n\n")[2:]}
    assert sections == {
        "ACTIVE": ["2025-01-01-new", "2025-01-02-middle", "2025-01-04-trained"],
        "SUCCESS": ["2025-01-05-good", "2025-01-09-said"],
        "FAILED": ["2025-01-06-bad", "2025-01-07-gates", "2025-01-08-error"],
        "STALE": ["2025-01-03-old"],
    }


def test_the_limits_can_be_set(tmp_path: Path):
    experiment(tmp_path, "2025-01-02-middle", age_days=20)
    assert "Stale: 1" in run(tmp_path, "--list-only", "--max-stale-days", "10")
    assert "Stale: 0" in run(tmp_path, "--list-only", "--max-stale-days", "10", "--max-active-days", "25")


def test_all_leaves_what_is_active(tmp_path: Path):
    experiment(tmp_path, "2025-01-01-new")
    experiment(tmp_path, "2025-01-05-good", notes="\u2713")
    experiment(tmp_path, "2025-01-06-bad", notes="\u2717")
    run(tmp_path, "--status", "all")
    assert os.listdir(tmp_path / "experiments") == ["2025-01-01-new"]
    assert sorted(os.listdir(tmp_path / "experiments-archive")) == ["2025-01-05-good", "2025-01-06-bad"]


def test_a_report_of_an_experiment_with_a_longer_name_is_not_taken(tmp_path: Path):
    experiment(tmp_path, "2025-01-22-test")
    report(tmp_path, "x_2025-01-22-test-64dim", gates_passed=True, final_nrmse=0.1)
    assert "Active: 1" in run(tmp_path, "--list-only")


def test_missing_folders_are_no_error(tmp_path: Path):
    assert run(tmp_path, "--list-only").startswith("Found 0 experiment(s) in experiments\n")


def test_a_place_that_is_taken_is_said_and_the_others_go_on(tmp_path: Path):
    experiment(tmp_path, "2025-01-05-good", notes="\u2713")
    experiment(tmp_path, "2025-01-06-bad", notes="\u2717")
    (tmp_path / "experiments-archive" / "2025-01-05-good").mkdir(parents=True)
    assert "the place in the archive is taken" in run(tmp_path, "--status", "all", check=1)
    assert os.listdir(tmp_path / "experiments") == ["2025-01-05-good"]


def test_metadata_that_are_no_object_are_an_error(tmp_path: Path):
    folder = experiment(tmp_path, "2025-01-05-good")
    (folder / "metadata.json").write_text("[")
    assert "metadata.json" in run(tmp_path, "--list-only", check=1)
