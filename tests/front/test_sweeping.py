"""Sweeps started from Python."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from runyard.base import UsageError, quoted
from runyard.front import SweepHandle, attach, overrides_of, start_application, sweep

APP = """
import time
import hydra
from hydra.core.config_store import ConfigStore

@hydra.main(version_base=None, config_path=None, config_name="c")
def main(cfg):
    time.sleep(cfg.s)
    return {"twice": 2 * float(cfg.x)}

if __name__ == "__main__":
    ConfigStore.instance().store(name="c", node={"x": 1, "s": 0, "seed": 0, "text": ""})
    main()
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    script = tmp_path / "small.py"
    script.write_text(APP)
    return script


def test_a_sweep_ends_with_every_job_and_its_results(app: Path, tmp_path: Path) -> None:
    handle = sweep(app, {"x": [1, 2, 3], "text": "a,b=${c} \"d\" 'e'"}, seeds=2, max_jobs=4, n_jobs=1, cwd=tmp_path)
    assert handle.wait(timeout_s=60).counts["COMPLETED"] == 4
    assert attach(handle.dir) == handle
    assert len(handle.results().results) == 4
    assert "COMPLETED" in repr(handle)


def test_a_cancelled_sweep_is_no_longer_at_work(app: Path, tmp_path: Path) -> None:
    handle = sweep(app, {"x": [1, 2], "s": 100}, n_jobs=1, cwd=tmp_path)
    with pytest.raises(TimeoutError):
        handle.wait(timeout_s=0)
    handle.cancel()
    assert handle.wait(timeout_s=60).state == "CANCELLED"


def test_a_sweep_goes_on_when_the_process_that_started_it_is_killed(app: Path, tmp_path: Path) -> None:
    code = (
        "import os, signal, runyard\n"
        f"handle = runyard.sweep({str(app)!r}, {{'x': [1, 2], 's': 0.5}}, n_jobs=1)\n"
        "print(handle.dir, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    starter = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert starter.returncode == -signal.SIGKILL
    assert attach(starter.stdout.strip()).wait(timeout_s=60).counts["COMPLETED"] == 2


def test_a_killed_sweep_is_taken_up_again(app: Path, tmp_path: Path) -> None:
    started = start_application(app, ["+runyard=local", "x=1,2", "s=2", "hydra.launcher.n_jobs=1"], cwd=tmp_path)
    os.kill(started.pid, signal.SIGKILL)
    handle = SweepHandle(started.dir)
    assert handle.wait(timeout_s=60).state == "LOST"
    handle.resume()
    assert handle.wait(timeout_s=60).counts["COMPLETED"] == 2


@pytest.mark.parametrize(
    "value",
    [
        "", "a,b", "x=1", '"', "'", "\\", 'a\\"b', "end\\", "${y}", "\\${y}", "1", "null", "true", " padded ",
        "line\nbreak",
        None, True, 3, -2.5, 1e-7, 1e30, [], [1, "a,b", None], {"a": {"b": [1, "${z}"]}}, {},
    ],
)  # fmt: skip
def test_a_value_arrives_as_it_was_given(value: Any) -> None:
    override = OverridesParser.create().parse_override(f"k={quoted(value)}")
    config = OmegaConf.create({"k": None})
    OmegaConf.update(config, "k", override.value())
    arrived = OmegaConf.to_container(config, resolve=True)["k"]  # type: ignore[call-overload]
    assert arrived == value
    assert type(arrived) is type(value)


def test_a_sweep_over_a_name_that_is_not_there_is_refused_in_the_applications_words(app: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nonsense"):
        sweep(app, {"nonsense": [1, 2]}, cwd=tmp_path)


def test_nothing_to_sweep_over_is_refused() -> None:
    with pytest.raises(UsageError, match="no value to sweep over"):
        overrides_of({"x": []})
