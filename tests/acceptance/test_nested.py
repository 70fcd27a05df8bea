"""A job whose library runs the command line again, for ranks of its own, does not start the sweep once more."""

from __future__ import annotations

from tests.conftest import Shell, read_json

APP = """
import subprocess, sys
from dataclasses import dataclass
import hydra
from hydra.core.config_store import ConfigStore


@dataclass
class Config:
    i: int = 0


ConfigStore.instance().store(name="config", node=Config)


@hydra.main(version_base="1.3", config_path=None, config_name="config")
def main(cfg):
    return {"code": subprocess.run([sys.executable, *sys.argv[:1], "-m", "+runyard=local", "i=5,6"]).returncode}


if __name__ == "__main__":
    main()
"""


def test_a_job_cannot_start_its_own_sweep_again(shell: Shell) -> None:
    (shell.cwd / "mine.py").write_text(APP)
    shell.python("mine.py", "-m", "+runyard=local", "i=1", check=0)
    sweep = shell.only_sweep("mine")
    assert read_json(sweep / "0" / "run.json")["metrics"] == {"code": 2}
    said = (sweep / "0" / "output.log").read_text()
    assert "belongs to job 0 of a sweep of the same program" in said
    assert "to do:" in said
