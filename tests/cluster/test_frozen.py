"""Frozen code is what runs, whatever has become of the code since."""

from pathlib import Path

import pytest

from runyard.cli.reproducing import _new_folder
from runyard.cluster.frozen import freeze_tree
from runyard.orchestrate import thaw

MODULE = """
from dataclasses import dataclass

import hydra
from hydra.core.config_store import ConfigStore

import helper


@dataclass
class Config:
    x: float = 1


def train(cfg: Config):
    return {"loss": cfg.x * helper.value()}


if __name__ == "__main__":
    ConfigStore.instance().store(name="c", node=Config)
    hydra.main(version_base=None, config_path=None, config_name="c")(train)()
"""
START = """
import sys
sys.path.insert(0, "lib")
import small, runyard
runyard.sweep(small.train, {"x": [1, 2]}, n_jobs=1, experiment="small", wait=True)
"""


def _frozen(shell, folder: Path, *command: str) -> str:
    (folder / "helper.py").write_text("def value():\n    return 1\n")
    (folder / "small.py").write_text(MODULE)
    shell.python(*command, check=0)
    sweep_dir = shell.only_sweep("small")
    entry = thaw(sweep_dir).entry
    assert entry is not None
    freeze_tree(sweep_dir, entry, root=shell.cwd / "multirun", most_mb=100)
    (folder / "helper.py").write_text("def value():\n    return 100\n")
    return f"{sweep_dir}/1"


@pytest.mark.parametrize("kind", ["module", "script", "function"])
def test_a_job_is_reproduced_with_the_code_that_was_frozen(shell, kind: str) -> None:
    folder = shell.cwd / "lib" if kind == "function" else shell.cwd
    folder.mkdir(exist_ok=True)
    command = {
        "module": ("-m", "small", "-m", "+runyard=local", "x=1,2"),
        "script": ("small.py", "-m", "+runyard=local", "x=1,2"),
        "function": ("-c", START),
    }[kind]
    job = _frozen(shell, folder, *command)
    shell.runyard("reproduce", job, check=0)
    assert "200" in shell.runyard("reproduce", job, "--current-code", check=1).stdout


def test_reproductions_within_one_second_have_folders_of_their_own(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    places = [_new_folder("a") for _ in range(3)]
    assert [place.name for place in places] == ["a", "a-2", "a-3"]
    assert all(place.is_dir() for place in places)


def test_a_reproduction_that_is_refused_leaves_no_folder(shell) -> None:
    (shell.cwd / "helper.py").write_text("def value():\n    return 1\n")
    (shell.cwd / "small.py").write_text(MODULE)
    shell.python("small.py", "-m", "+runyard=local", "x=1,2", check=0)
    assert "was not frozen" in shell.runyard("reproduce", "latest/1", check=2).stderr
    assert not list((shell.cwd / "outputs" / "reproduced").iterdir())
