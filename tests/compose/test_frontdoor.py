from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

APP = """
import os, sys
from dataclasses import dataclass
import hydra
from hydra.core.config_store import ConfigStore
from runyard.base import UsageError
from runyard.compose import run_application

@dataclass
class Config:
    lr: float = 0.1
    how: str = "well"

ConfigStore.instance().store(name="config", node=Config)

@hydra.main(version_base=None, config_path=None, config_name="config")
def main(cfg: Config) -> None:
    if cfg.how == "raises":
        raise ValueError("the task's own fault")
    if cfg.how == "usage":
        raise UsageError("no such file", where="x.csv", todo="make it")
    if cfg.how == "exits":
        sys.exit(7)
    if cfg.how == "exits with words":
        sys.exit("goodbye")
    if cfg.how == "interrupted":
        raise KeyboardInterrupt

if __name__ == "__main__":
    sys.exit(run_application(main, launcher_keys=("n_jobs", "timeout_min")))
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path / "app.py"


@pytest.mark.parametrize(
    ("args", "code", "says", "has_traceback"),
    [
        ([], 0, "", False),
        (["how=raises"], 1, "ValueError: the task's own fault", True),
        (["how=usage"], 2, "no such file\n  where: x.csv\n  to do: make it\n", False),
        (["how=exits"], 7, "", False),
        (["how=exits with words"], 1, "", False),
        (["how=interrupted"], 130, "", False),
        (["nope=1"], 2, "Could not override 'nope'", False),
        (["lr=text"], 2, "Value 'text' of type 'str' could not be converted to Float", False),
        (["group=nope"], 2, "Could not override 'group'", False),
        (["hydra/launcher=nope"], 2, "unknown choice of hydra/launcher 'nope'", False),
        (["lr=["], 2, "no viable alternative at input '['", False),
        (["-m", "hydra.verbose=true,false"], 2, "Sweeping over Hydra's configuration is not supported", False),
        (["--help"], 0, "", False),
    ],
)
def test_an_applications_exit_code_and_words(
    app: Path, args: list[str], code: int, says: str, has_traceback: bool
) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(app), *args], cwd=app.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert ("Traceback" in done.stderr) is has_traceback
    assert "hydra/_internal" not in done.stderr


def test_an_unknown_key_of_the_launcher_is_answered_with_the_closest(app: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(app), "-m", "hydra/launcher=runyard_local", "hydra.launcher.n_job=2"],
        cwd=app.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "unknown key 'n_job'\n"
        "  where: hydra.launcher\n"
        "  to do: did you mean 'hydra.launcher.n_jobs'? Known: n_jobs, timeout_min\n"
    )
