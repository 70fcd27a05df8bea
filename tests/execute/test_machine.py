from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runyard.base import UsageError
from runyard.execute import usable_cpus, usable_gpus


@pytest.mark.parametrize(
    ("setting", "visible", "ids"),
    [
        ("auto", "0,1", ("0", "1")),
        ("auto", " 2 , GPU-abc ", ("2", "GPU-abc")),
        ("auto", "", ()),
        ("auto", "-1", ()),
        (0, "0,1", ()),
        (2, None, ("0", "1")),
        ([3, 1], "0", ("3", "1")),
        (["GPU-a"], None, ("GPU-a",)),
        ([], "0", ()),
    ],
)
def test_the_devices_that_jobs_may_be_lent(setting: Any, visible: str | None, ids: tuple[str, ...]) -> None:
    assert usable_gpus(setting, {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}) == ids


@pytest.mark.parametrize("setting", ["all", "2", True, -1, [0, 0], [0, "0"]])
def test_a_setting_that_makes_no_sense_is_refused(setting: Any) -> None:
    with pytest.raises(UsageError) as caught:
        usable_gpus(setting, {})
    assert caught.value.where == "hydra.launcher.gpus"
    assert "auto" in caught.value.todo


def test_the_driver_is_asked_when_the_environment_says_nothing(tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'GPU 0: A (UUID: GPU-1)'\necho 'GPU 1: B (UUID: GPU-2)'\n")
    tool.chmod(0o755)
    code = "from runyard.execute import usable_gpus; print(usable_gpus('auto', {}))"
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "('0', '1')"


def test_processors_are_those_that_this_process_may_use() -> None:
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from runyard.execute import usable_cpus; print(usable_cpus())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
    assert usable_cpus() >= 1
