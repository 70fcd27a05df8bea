"""Applications started in processes of their own."""

import os
import sys
import time
from pathlib import Path

import pytest

from runyard.base import UsageError
from runyard.front import start_application
from runyard.record import read_runs, read_sweep

APP = """
import os
import hydra

@hydra.main(version_base=None, config_path=None, config_name="c")
def main(cfg):
    assert "RUNYARD_ANNOUNCE_FILE" not in os.environ
    return float(cfg.x)

if __name__ == "__main__":
    from hydra.core.config_store import ConfigStore
    ConfigStore.instance().store(name="c", node={"x": 1})
    main()
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    script = tmp_path / "small.py"
    script.write_text(APP)
    return script


def _end_of(folder: Path) -> str:
    while True:
        state = str(read_sweep(folder).state)
        if state != "RUNNING":
            return state
        time.sleep(0.1)


def test_a_sweep_is_known_by_its_directory_and_its_jobs_do_not_inherit_the_announcement(
    app: Path, tmp_path: Path
) -> None:
    started = start_application(app, ["+runyard=local", "x=1,2"], cwd=tmp_path)
    assert started.is_sweep
    assert started.dir.is_relative_to(tmp_path)
    assert os.getsid(started.pid) == started.pid
    assert _end_of(started.dir) == "COMPLETED"
    assert len(read_runs(started.dir)) == 2


def test_a_single_run_is_known_by_its_directory(app: Path, tmp_path: Path) -> None:
    started = start_application(app, ["+runyard=record"], multirun=False, cwd=tmp_path)
    assert not started.is_sweep
    assert _end_of(started.dir) == "COMPLETED"


def test_a_wrong_override_is_refused_in_the_applications_own_words(app: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nonsense"):
        start_application(app, ["+runyard=local", "nonsense=1"], multirun=False, cwd=tmp_path)


def test_a_program_without_a_record_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "plain.py"
    script.write_text("print('hello')\n")
    with pytest.raises(UsageError, match="without a record"):
        start_application(script, python=[sys.executable, "-I"], cwd=tmp_path)
