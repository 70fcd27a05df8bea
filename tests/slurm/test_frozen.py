"""What was submitted is what runs: source and config that change while a sweep waits in the queue change nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import read_json
from tests.slurm.clusters import Cluster, ClusterShell
from tests.slurm.test_sweeps import SLURM, array_of, rows

HELD = "+hydra.launcher.hold=true"

# It has a module beside it that is imported early, one that is imported by the job, and a folder of configs.
PROGRAM = """
import importlib
from pathlib import Path

import early
import hydra


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(cfg):
    late = importlib.import_module("late")
    data = (Path(__file__).parent / "numbers.txt").read_text()
    return {"early": early.VALUE, "late": late.VALUE, "weight": cfg.weight, "kind": cfg.part.kind, "data": int(data)}


if __name__ == "__main__":
    main()
"""


def write_application(folder: Path, value: int) -> None:
    """The application, whose every part gives this value."""
    (folder / "conf" / "part").mkdir(parents=True, exist_ok=True)
    (folder / "conf" / "config.yaml").write_text(f"defaults:\n  - part: a\n  - _self_\ni: 0\nweight: {value}\n")
    (folder / "conf" / "part" / "a.yaml").write_text(f"kind: {value}\n")
    (folder / "early.py").write_text(f"VALUE = {value}\n")
    (folder / "late.py").write_text(f"VALUE = {value}\n")
    (folder / "numbers.txt").write_text(f"{value}\n")
    (folder / "frozen_app.py").write_text(PROGRAM)


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, timeout=60)


def submit(shell: ClusterShell, *words: str) -> Path:
    """Submits two jobs, and returns the sweep's directory."""
    before = set(shell.sweeps("frozen_app"))
    shell.python("frozen_app.py", *SLURM, "i=1,2", "hydra.launcher.workers=1", *words, check=0)
    (sweep,) = set(shell.sweeps("frozen_app")) - before
    return sweep


def values(sweep: Path) -> list[tuple[str, ...]]:
    names = ("state", "early", "late", "weight", "kind", "data")
    return [tuple(row[name] for name in names) for row in rows(sweep)]


def all_of(value: int) -> list[tuple[str, ...]]:
    return [("COMPLETED", *[str(value)] * 5)] * 2


def metrics(run: Path) -> Any:
    return read_json(run / "run.json")["metrics"]


@pytest.mark.parametrize("tree", ["clean", "dirty", "without git"])
def test_jobs_that_wait_run_what_was_submitted_whatever_becomes_of_the_source(
    bare_cluster: Cluster, shell: ClusterShell, tree: str
) -> None:
    write_application(shell.cwd, 1)
    if tree != "without git":
        git(shell.cwd, "init", "-q")
        git(shell.cwd, "add", "frozen_app.py", "early.py", "conf", "numbers.txt")
        if tree == "clean":
            git(shell.cwd, "add", "late.py")  # else it is a file that git does not know
            (shell.cwd / ".gitignore").write_text("multirun\ndevices\n__pycache__\n")
            git(shell.cwd, "add", ".gitignore")
        git(shell.cwd, "commit", "-q", "-m", "x")
    if tree == "dirty":
        write_application(shell.cwd, 2)
    submitted = 2 if tree == "dirty" else 1
    edited, gone = submit(shell, HELD), submit(shell, HELD)

    write_application(shell.cwd, 3)
    (shell.cwd / "frozen_app.py").write_text("raise SystemExit('edited')\n")
    bare_cluster.scontrol("release", array_of(edited))
    shell.runyard("wait", str(edited), check=0)
    assert values(edited) == all_of(submitted)

    for name in ("frozen_app.py", "early.py", "late.py", "numbers.txt"):
        (shell.cwd / name).unlink()
    shutil.rmtree(shell.cwd / "conf")
    bare_cluster.scontrol("release", array_of(gone))
    shell.runyard("wait", str(gone), check=0)
    assert values(gone) == all_of(submitted)


def test_what_is_queued_again_and_what_is_reproduced_comes_from_the_frozen_code(
    bare_cluster: Cluster, shell: ClusterShell, tmp_path: Path
) -> None:
    write_application(shell.cwd, 1)
    sweep = submit(shell, HELD)
    shell.runyard("cancel", check=0)
    shell.runyard("wait", "--timeout", "60", check=1)
    for name in ("frozen_app.py", "early.py", "late.py", "numbers.txt"):
        (shell.cwd / name).unlink()
    shutil.rmtree(shell.cwd / "conf")
    # from another directory, where nothing of the application would be found by chance
    elsewhere = ClusterShell(tmp_path / "elsewhere", cluster=bare_cluster)
    elsewhere.cwd.mkdir()
    elsewhere.runyard("resume", str(sweep), "hydra.launcher.hold=false", check=0)
    elsewhere.runyard("wait", str(sweep), check=0)
    assert values(sweep) == all_of(1)
    elsewhere.runyard("reproduce", str(sweep / "1"), "--to", "again", check=0)
    assert metrics(elsewhere.cwd / "again") == metrics(sweep / "1")


def test_sweeps_of_the_same_code_share_its_frozen_tree_and_unchanged_files_of_other_code(
    bare_cluster: Cluster, shell: ClusterShell
) -> None:
    write_application(shell.cwd, 1)

    def tree_of(sweep: Path) -> Path:
        return Path(read_json(sweep / "snapshot" / "tree.json")["tree"])

    first, second = tree_of(submit(shell, HELD)), tree_of(submit(shell, HELD))
    assert first == second
    (shell.cwd / "late.py").write_text("VALUE = 5\n")
    third = tree_of(submit(shell, HELD))
    assert third != first
    inodes = [[(tree / name).stat().st_ino for tree in (first, third)] for name in ("early.py", "late.py")]
    assert [before == after for before, after in inodes] == [True, False]
