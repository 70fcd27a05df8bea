"""The commands of the Makefile that requirement 3 asks for, as its users give them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import REPO, Shell

_LINKED = ("Makefile", "pyproject.toml", "constraints.txt", "conf", "src")


@pytest.fixture
def project(shell: Shell) -> Shell:
    """A directory that has what the commands need, and nothing that they make."""
    for name in _LINKED:
        (shell.cwd / name).symlink_to(REPO / name)
    return shell


def make(shell: Shell, *words: str, check: int = 0) -> Any:
    """Runs make with the environment of this test, which it must not install anew."""
    venv = Path(sys.executable).parent.parent
    done = subprocess.run(
        ["make", "--old-file", f"{venv}/.installed", f"VENV={venv}", *words],
        cwd=shell.cwd,
        env=shell.environment(),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=200,
        check=False,
    )
    assert done.returncode == check, f"{done.stdout}\n{done.stderr}"
    return done


def test_a_sweep_of_an_experiment_its_report_and_what_is_latest(project: Shell) -> None:
    make(project, "xsweep", "EXPERIMENT=airline_static_v1", "ARGS=workload.seed=11,12,13")
    folder = project.cwd / "multirun" / "airline_static_v1"
    sweep = (folder / "latest").resolve()
    assert sweep.parent == folder and sweep.name.endswith("-SHIM-s11-12-13-t3")
    assert sweep.name in (project.cwd / "multirun" / "index.csv").read_text()
    assert {"results.csv", "summary.csv", "trials.jsonl", "asr.csv", "notes.md"} <= {p.name for p in sweep.iterdir()}
    (sweep / "report.html").unlink()
    assert f"{sweep.name}/report.html" in make(project, "report", "EXPERIMENT=airline_static_v1").stdout
    assert (sweep / "report.html").exists()
    assert sweep.name in make(project, "latest").stdout


def test_an_experiment_must_be_named_and_those_that_there_are_are_told(project: Shell) -> None:
    done = make(project, "xsweep", check=2)
    assert "name the experiment" in done.stderr and "arena_grid" in done.stderr
    assert not (project.cwd / "multirun").exists()
