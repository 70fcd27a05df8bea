"""The application's own function at the end of a sweep."""

from __future__ import annotations

from tests.conftest import Shell

APP = """
import hydra

@hydra.main(version_base=None, config_path=None)
def main(cfg):
    return 1 / (cfg.x - 1)

if __name__ == "__main__":
    main()
"""
HOOK = """
def count(sweep):
    lines = (sweep / "results.csv").read_text().splitlines()
    (sweep / "count.txt").write_text(str(len(lines) - 1))

def fail(sweep):
    raise ValueError("no")
"""


def swept(shell: Shell, finish: str, *args: str, check: int) -> str:
    (shell.cwd / "their.py").write_text(APP)
    (shell.cwd / "hook.py").write_text(HOOK)
    words = ["-m", "+runyard=local", f"hydra.callbacks.runyard.finish={finish}", *args]
    said: str = shell.python("their.py", *words, check=check).stderr
    return said


def test_it_is_called_when_jobs_failed_and_again_by_collect(shell: Shell) -> None:
    swept(shell, "hook.count", "+x=0,1", check=1)
    sweep = shell.only_sweep("their")
    assert (sweep / "count.txt").read_text() == "2"
    (sweep / "count.txt").unlink()
    shell.runyard("collect", str(sweep), check=0)
    assert (sweep / "count.txt").read_text() == "2"


def test_what_it_raises_is_told_and_the_sweep_is_completed(shell: Shell) -> None:
    said = swept(shell, "hook.fail", "+x=0,2", check=0)
    assert "hook.fail was called for the end of the sweep, and raised ValueError: no" in said
    assert (shell.only_sweep("their") / "summary.csv").exists()


def test_one_that_there_is_not_is_refused_before_anything_runs(shell: Shell) -> None:
    said = swept(shell, "hook.cuont", "+x=0,2", check=2)
    assert "'hook.cuont' cannot be imported" in said and "hydra.callbacks.runyard.finish" in said
    assert not (shell.cwd / "multirun" / "their").exists()
