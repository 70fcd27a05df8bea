"""A mean over runs of two commits is told as such wherever it is shown, and refused where that is asked for."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

import pytest

PROGRAM = """
import hydra, os

@hydra.main(version_base=None, config_path=None)
def main(cfg):
    if cfg.seed == 2 and not os.path.exists("ready"):
        raise RuntimeError("not yet")
    return {"loss": cfg.lr + cfg.seed / 100}

main()
"""


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@b.c")
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def two_commits(shell) -> tuple[str, str]:
    """A sweep whose third seeds ran after a further commit; the commits."""
    folder = shell.cwd
    (folder / "train.py").write_text(PROGRAM)
    (folder / ".gitignore").write_text("multirun\noutputs\ndevices\nready\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    first = git(folder, "rev-parse", "HEAD")
    shell.python("train.py", "-m", "+runyard=local", "+lr=0.1,0.2", "+seed=0,1,2", check=1)
    (folder / "ready").touch()
    (folder / "other.txt").write_text("a change")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "two")
    second = git(folder, "rev-parse", "HEAD")
    shell.python("-m", "runyard", "resume", check=0)
    return first[:7], second[:7]


def test_it_is_flagged_in_the_summary_the_notes_and_the_report_and_strict_refuses_it(
    shell, two_commits: tuple[str, str]
) -> None:
    sweep = (shell.cwd / "multirun" / "train" / "latest").resolve()
    with (sweep / "summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["n"] for row in rows] == ["3", "3"]
    assert all("commit" in row["mixed"].split(";") for row in rows)
    shell.python("-m", "runyard", "report", check=0)
    for name in ("notes.md", "report.md", "report.html"):
        text = (sweep / name).read_text()
        assert "commits" in text, name
        assert all(sha in text for sha in two_commits), name
    lenient = shell.python("-m", "runyard", "summary", check=0)
    assert "commits" in lenient.stdout + lenient.stderr
    for words in (("summary", "latest"), ("best", "latest", "loss"), ("compare", "latest/0", "latest")):
        strict = shell.python("-m", "runyard", *words, "--strict", check=2)
        assert "commits" in strict.stderr
        assert "Traceback" not in strict.stderr
