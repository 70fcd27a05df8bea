"""Pipelines from the command line: stages shared by jobs, taken up again after a kill, and somebody's script."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

_APPS = Path(__file__).parents[1] / "apps"


def _function(name: str, **keys: Any) -> dict[str, Any]:
    return {"_target_": f"staged_functions.{name}", **keys}


def _sweep(folder: Path, config: dict[str, Any], *overrides: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    (folder / "pipe.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    command = [sys.executable, "-m", "runyard.pipeline", "--config-dir", str(folder), "--config-name", "pipe", "-m"]
    command += ["+runyard=local", "hydra.sweep.dir=sweep", *overrides]
    return _run(folder, command)


def _run(folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(_APPS)}
    return subprocess.run(command, cwd=folder, env=env, text=True, capture_output=True, timeout=120)


def _resume(folder: Path) -> subprocess.CompletedProcess[str]:
    return _run(folder, [sys.executable, "-m", "runyard", "resume", "sweep"])


def _results(folder: Path) -> list[dict[str, str]]:
    with (folder / "sweep" / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("kill", [False, True])
def test_a_shared_stage_is_completed_once_for_each_key_also_when_its_first_runner_is_killed(
    tmp_path: Path, kill: bool
) -> None:
    stages = {"bound": _function("bound", cache={"keys": ["day", "d"]}), "play": _function("play", needs=["bound"])}
    config = {
        "gamma": 0, "tau": 0, "day": 0, "d": 60, "kill": kill, "log": str(tmp_path / "log.txt"), "stages": stages
    }  # fmt: skip
    done = _sweep(tmp_path, config, "hydra.launcher.n_jobs=2", "gamma=0,1,2,3", "tau=0,1,2", "day=1,2")
    if done.returncode:
        assert kill, done.stderr
        assert _resume(tmp_path).returncode == 0
    begun = Counter((tmp_path / "log.txt").read_text().splitlines())
    assert begun.pop("whole") == 2
    assert sum(begun.values()) == 2 + kill
    rows = _results(tmp_path)
    assert len(rows) == 24
    for row in rows:
        assert float(row["savings"]) == int(row["day"]) * 60 * int(row["gamma"]) + int(row["tau"])
    stages_json = [json.loads(p.read_text()) for p in (tmp_path / "sweep").glob("*/bound/stage.json")]
    assert Counter(s["how"].partition(" from")[0] for s in stages_json) == {"run": 2, "cached": 22}
    assert not list((tmp_path / "sweep").glob("*/bound/half"))


def test_a_pipeline_killed_in_its_third_stage_goes_on_there_and_its_outputs_are_the_same(tmp_path: Path) -> None:
    stages = {
        "first": _function("first"),
        "second": _function("second", needs=["first"]),
        "third": _function("third", needs=["second"]),
    }
    outputs = []
    for name, kill in (("whole", False), ("killed", True)):
        folder = tmp_path / name
        config = {"x": 0, "kill": kill, "log": str(tmp_path / f"{name}.txt"), "stages": stages}
        done = _sweep(folder, config, "x=1")
        if done.returncode:
            assert kill, done.stderr
            assert _resume(folder).returncode == 0
        files = sorted((folder / "sweep").glob("*/*/out.txt"))
        outputs.append([(path.parent.name, path.read_bytes()) for path in files])
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) == 3
    assert (tmp_path / "killed.txt").read_text().split() == ["first", "second", "third", "third"]
    paths = [tmp_path / "killed" / "sweep" / "0" / name / "stage.json" for name in stages]
    assert [json.loads(path.read_text()).get("done_before", False) for path in paths] == [True, True, False]


def test_a_sweep_over_a_plain_script_records_output_exit_code_and_metrics_of_both_ways(tmp_path: Path) -> None:
    command = ["{python}", "{cfg.script}", "--lr", "{cfg.lr}", "--out", "{dir}/metrics.json"]
    stages = {"train": {"command": command, "metrics": "metrics.json"}}
    config = {"lr": 0.1, "script": str(_APPS / "argparse_script.py"), "stages": stages}
    assert _sweep(tmp_path, config, "lr=0.25,0.5,2.0").returncode != 0
    good, better, bad = _results(tmp_path)
    assert [(r["accuracy"], r["loss"]) for r in (good, better)] == [("0.75", "0.5"), ("0.5", "1.0")]
    assert bad["state"] == "FAILED"
    folders = [tmp_path / "sweep" / str(job) / "train" for job in range(3)]
    assert [json.loads((f / "command.json").read_text())["exit_code"] for f in folders] == [0, 0, 1]
    assert (folders[0] / "stdout.log").read_text().startswith("training with 0.25\n")
    assert (folders[2] / "stderr.log").read_text() == "the learning rate is too large\n"


def test_what_the_command_of_a_killed_job_has_started_dies_before_the_next_job_is_over(tmp_path: Path) -> None:
    code = """
        if test {cfg.x} = 1; then setsid sleep 600 & echo $! > {cfg.pid}; kill -KILL $PPID; wait; fi
        while kill -0 $(cat {cfg.pid}); do sleep 0.05; done
    """
    config = {"x": 0, "pid": str(tmp_path / "pid"), "stages": {"run": {"command": code, "shell": True}}}
    assert _sweep(tmp_path, config, "hydra.launcher.n_jobs=1", "x=1,2").returncode == 1
    assert [row["state"] for row in _results(tmp_path)] == ["FAILED", "COMPLETED"]
