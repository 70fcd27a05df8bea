"""The examples of docs/python.md run as they are written."""

import itertools
import os
import re
import signal
from pathlib import Path

import pytest
from tests.conftest import wait_for

from runyard.front import attach
from runyard.orchestrate import status
from runyard.record import read_runs

REPO = Path(__file__).parents[2]
PAGE = (REPO / "docs" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
#: halts the third job's training until a file is there
_HALT = """

_learn = learn


def learn(cfg):
    import time
    from pathlib import Path

    if not cfg.rewards and cfg.converters:
        Path("begun").touch()
        while not Path("go").exists():
            time.sleep(0.05)
    return _learn(cfg)
"""


def _block(beginning):
    (found,) = [block for block in BLOCKS if beginning in block]
    return found


@pytest.fixture
def shell(shell, monkeypatch):
    monkeypatch.setenv("RUNYARD_DEVICES_DIR", str(shell.cwd / "devices"))
    return shell


def test_the_function_of_the_page_is_swept(shell):
    (shell.cwd / "first.py").write_text(_block("class Config:"))
    said = shell.python("first.py", check=0).stdout
    assert "'COMPLETED': 12" in said


def test_the_recipe_is_swept_one_after_the_other_evaluated_and_taken_up_after_an_interruption(shell, monkeypatch):
    (shell.cwd / "recipe.py").write_text(_block("class Arena:") + _HALT)
    (shell.cwd / "sweep.py").write_text(_block("import recipe"))
    handle = attach(shell.python("sweep.py", check=0).stdout.strip())
    wait_for((shell.cwd / "begun").exists, 120)
    os.kill(int(status(handle.dir).controller["pid"]), signal.SIGKILL)
    wait_for(lambda: not handle.status().is_at_work)
    (shell.cwd / "go").touch()
    resumed = shell.runyard("resume", "latest:test_sweep_1", check=0)
    assert "2 of 4 jobs to run" in resumed.stderr
    runs = read_runs(handle.dir)
    assert [str(run.state) for run in runs] == ["COMPLETED"] * 4
    assert [run.metrics["score"] for run in runs] == [400, 300, 200, 100]
    assert [run.stages["evaluate"].metrics["score"] for run in runs] == [400, 300, 200, 100]
    assert [len(run.attempts) for run in runs] == [1, 1, 2, 1]
    last = [run.attempts[-1] for run in runs]
    assert all(before.ended_at <= after.started_at for before, after in itertools.pairwise(last))
    assert all(run.resources["gpus"] == 1 and run.resources["nodes"] == 1 for run in runs)
    monkeypatch.chdir(shell.cwd)
    assert attach("latest:test_sweep_1").dir == handle.dir
