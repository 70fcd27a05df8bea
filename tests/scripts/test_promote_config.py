"""The front that makes an experiment's config a production config."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import REPO

SCRIPT = REPO / "scripts" / "promote_config.py"
NAME = "2025-01-22-test-64dim"


def run(cwd: Path, *words: str, check: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == check, done.stdout + done.stderr
    return done.stdout if check == 0 else done.stderr


def report(cwd: Path, **values: Any) -> None:
    (cwd / "reports").mkdir(exist_ok=True)
    (cwd / "reports" / f"test_{NAME}.json").write_text(json.dumps(values))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The example of the requirements."""
    folder = tmp_path / "experiments" / NAME
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("# mine\nlr:   0.1\n")
    report(tmp_path, final_nrmse=0.08, gates_passed=True)
    return tmp_path


def test_the_dry_run_is_that_of_the_requirements(place: Path):
    assert run(place, f"experiments/{NAME}", "--dry-run") == (
        "Validating results for: 2025-01-22-test-64dim\n"
        "\u2713 Validation passed\n"
        "  NRMSE: 0.0800\n"
        "  Gates: PASS\n"
        "\n"
        "[DRY RUN] Would promote:\n"
        "  From: experiments/2025-01-22-test-64dim\n"
        "  Config: experiments/2025-01-22-test-64dim/config.yaml\n"
        "  To:   configs/train_test-64dim.yaml\n"
        "  Metrics:\n"
        "    final_nrmse: 0.08\n"
        "    gates_passed: True\n"
    )
    assert not (place / "configs").exists()


def test_the_config_is_copied_byte_for_byte_and_the_experiment_says_so(place: Path):
    run(place, f"experiments/{NAME}/", "--auto-promote", "--nrmse-threshold", "0.10")
    assert (place / "configs" / "train_test-64dim.yaml").read_text() == "# mine\nlr:   0.1\n"
    metadata = json.loads((place / "experiments" / NAME / "metadata.json").read_text())
    assert metadata["status"] == "success"
    assert metadata["promotion"]["config"] == "configs/train_test-64dim.yaml"
    assert metadata["promotion"]["metrics"] == {"final_nrmse": 0.08, "gates_passed": True}


def test_name_and_folder_can_be_given(place: Path):
    run(place, f"experiments/{NAME}", "--config-name", "train_burgers_improved.yaml", "--production-dir", "conf/prod")
    assert (place / "conf" / "prod" / "train_burgers_improved.yaml").is_file()


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"final_nrmse": 0.08, "gates_passed": False}, "the gates failed"),
        ({"final_nrmse": 0.08}, "has no gates_passed"),
        ({"gates_passed": True}, "has no final_nrmse"),
        ({"final_nrmse": "NaN", "gates_passed": True}, "has no final_nrmse"),
        ({"final_nrmse": 0.08, "gates_passed": "true"}, "the gates failed"),
        ({"final_nrmse": 0.2, "gates_passed": True}, "NRMSE 0.2000 is above 0.1000"),
        ({"final_nrmse": 0.08, "gates_passed": True, "errors": ["x"]}, "tells of errors"),
    ],
)
def test_what_is_not_good_enough_is_refused(place: Path, values: dict[str, Any], why: str):
    report(place, **values)
    text = run(place, f"experiments/{NAME}", "--nrmse-threshold", "0.1", check=1)
    assert text.startswith("\u2717 Validation failed:") and why in text
    assert not (place / "configs").exists()


def test_without_a_report_or_a_config_it_is_refused(place: Path):
    (place / "reports" / f"test_{NAME}.json").unlink()
    assert "no report" in run(place, f"experiments/{NAME}", check=1)
    (place / "experiments" / NAME / "config.yaml").unlink()
    assert "no config.yaml" in run(place, f"experiments/{NAME}", check=2)
    assert "no such experiment" in run(place, "experiments/none", check=2)


def test_metadata_that_say_failed_refuse_it(place: Path):
    (place / "experiments" / NAME / "metadata.json").write_text('{"status": "failed"}')
    assert "says that it failed" in run(place, f"experiments/{NAME}", check=1)


def test_another_config_of_that_name_needs_force(place: Path):
    run(place, f"experiments/{NAME}")
    run(place, f"experiments/{NAME}")  # the same again is no other
    (place / "experiments" / NAME / "config.yaml").write_text("lr: 9\n")
    assert "there is another config of that name" in run(place, f"experiments/{NAME}", check=2)
    run(place, f"experiments/{NAME}", "--force")
    assert (place / "configs" / "train_test-64dim.yaml").read_text() == "lr: 9\n"


def test_the_leaderboard_gets_one_row_however_often(place: Path):
    for _ in range(2):
        run(place, f"experiments/{NAME}", "--update-leaderboard", "--leaderboard-csv", "reports/board.csv")
    with (place / "reports" / "board.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["run_id"], row["label"], row["config"]) == (NAME, "champion", "train_test-64dim.yaml")
    assert (row["metric:final_nrmse"], row["extra:gates_passed"]) == ("0.08", "True")
