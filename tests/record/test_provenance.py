from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from runyard.record import GitState, gather, git_sha, git_state, host, packages, save_patch
from runyard.record.provenance import PATCH_LIMIT_BYTES


def _git(folder: Path, *args: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@y", "-C", str(folder), *args],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    _git(folder, "init", "-q", "-b", "work")
    (folder / "a.py").write_text("one\n")
    _git(folder, "add", ".")
    _git(folder, "commit", "-q", "-m", "first")
    return folder


def test_outside_a_repository_nothing_is_known(tmp_path: Path) -> None:
    assert git_sha(tmp_path) is None
    assert git_state(tmp_path) == GitState(sha=None, branch=None, dirty=None, patch=None)
    assert git_state(tmp_path).short_sha == "nogit"
    assert git_sha(tmp_path / "missing") is None


def test_a_repository_without_a_commit_is_as_good_as_none(tmp_path: Path) -> None:
    _git(tmp_path, "init", "-q")
    assert git_state(tmp_path) == GitState()


def test_a_clean_tree_has_no_patch(repository: Path, tmp_path: Path) -> None:
    state = git_state(repository)
    assert state == GitState(sha=_git(repository, "rev-parse", "HEAD"), branch="work", dirty=False, patch=None)
    assert state.short_sha == _git(repository, "rev-parse", "HEAD")[:7]
    assert save_patch(state, tmp_path / "git.patch") is None
    assert not (tmp_path / "git.patch").exists()


def test_the_patch_of_a_dirty_tree_brings_it_back(repository: Path, tmp_path: Path) -> None:
    (repository / "a.py").write_text("one\ntwo\n")
    (repository / "staged.bin").write_bytes(bytes(range(256)))
    _git(repository, "add", "staged.bin")
    (repository / "new file.txt").write_text("x")
    state = git_state(repository / ".")
    assert (state.dirty, state.branch) == (True, "work")
    assert save_patch(state, tmp_path / "sub" / "git.patch") == "git.patch"
    assert b"# untracked: " in (tmp_path / "sub" / "git.patch").read_bytes()

    copy = tmp_path / "copy"
    _git(tmp_path, "clone", "-q", str(repository), str(copy))
    _git(copy, "apply", str(tmp_path / "sub" / "git.patch"))
    assert (copy / "a.py").read_text() == "one\ntwo\n"
    assert (copy / "staged.bin").read_bytes() == bytes(range(256))


def test_a_patch_beyond_the_limit_is_not_kept_and_that_is_said(tmp_path: Path) -> None:
    state = GitState(sha="a" * 40, branch="b", dirty=True, patch=b"x" * (PATCH_LIMIT_BYTES + 1))
    assert "not kept" in str(save_patch(state, tmp_path / "git.patch"))
    assert not (tmp_path / "git.patch").exists()


def test_without_git_on_the_path_nothing_is_known_and_nothing_fails(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert git_state(repository) == GitState()


def test_what_is_gathered_holds_no_secret_and_fits_into_json() -> None:
    environment = {
        "PYTHONPATH": "/a",
        "HYDRA_TOKEN": "hidden",
        "SLURM_JOB_ID": "7",
        "SLURM_JOB_SECRET": "hidden",
        "HOME": "/home/u",
        "OPENAI_API_KEY": "hidden",
    }
    found = gather(
        git=GitState(sha="abc", branch="b", dirty=False),
        command=["python", "a.py", "db.password=hidden", "--token", "hidden"],
        environment=environment,
        tags=["t"],
        note="n",
    )
    assert "hidden" not in json.dumps(found)
    assert found["environment"] == {
        "HYDRA_TOKEN": "***",
        "PYTHONPATH": "/a",
        "SLURM_JOB_ID": "7",
        "SLURM_JOB_SECRET": "***",
    }
    assert found["command"] == ["python", "a.py", "db.password=***", "--token", "***"]
    assert found["git"] == {"sha": "abc", "branch": "b", "dirty": False, "patch": None}
    assert (found["tags"], found["note"], found["python"]) == (["t"], "n", platform.python_version())
    assert found["executable"] == sys.executable


def test_the_packages_are_those_that_the_process_has_imported() -> None:
    code = "import yaml; from runyard.record import packages; print(sorted(packages()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "PyYAML" in done.stdout
    assert "pandas" not in done.stdout
    assert "pytest" in packages()


def test_the_host_says_what_it_is() -> None:
    found = host()
    assert found["name"]
    assert found["cpu"]
    assert 1 <= found["cpus"] <= (os.cpu_count() or 1)
    assert found["memory_gb"] > 0
