from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runyard.base import StorageError, UsageError
from runyard.lifecycle.moving import difference, move_folder, remove_folder

_MOVE = """
import sys, errno, os
from pathlib import Path
from runyard.lifecycle.moving import move_folder

def elsewhere(source, target):
    raise OSError(errno.EXDEV, "another file system")

print("ready", flush=True)
move_folder(Path(sys.argv[1]), Path(sys.argv[2]), rename=elsewhere)
"""


def across(source: Path, target: Path) -> None:
    """Two file systems, as rename tells of them."""
    raise OSError(errno.EXDEV, "another file system")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "here" / "sweep"
    (folder / "0" / ".hydra").mkdir(parents=True)
    (folder / "0" / "weights.npz").write_bytes(os.urandom(3000))
    (folder / "0" / ".hydra" / "config.yaml").write_text("x: 1\n")
    (folder / "best").symlink_to("0")
    (folder / "empty").mkdir()
    return folder


@pytest.fixture
def original(source: Path, tmp_path: Path) -> Iterator[Path]:
    """What the folder was before."""
    import shutil

    shutil.copytree(source, tmp_path / "original", symlinks=True)
    yield tmp_path / "original"


@pytest.mark.parametrize("rename", [os.rename, across])
def test_a_folder_is_moved_whole(source: Path, original: Path, tmp_path: Path, rename):
    target = tmp_path / "there" / "deep" / "sweep"
    move_folder(source, target, rename=rename)
    assert difference(original, target) is None
    assert not source.exists()
    assert [p.name for p in target.parent.iterdir()] == ["sweep"] and not list(source.parent.iterdir())


def test_what_is_in_the_place_is_not_touched(source: Path, original: Path, tmp_path: Path):
    target = tmp_path / "there"
    target.mkdir()
    (target / "mine").write_text("x")
    with pytest.raises(UsageError, match="the place is taken"):
        move_folder(source, target)
    assert difference(original, source) is None and (target / "mine").read_text() == "x"


def test_a_finished_copy_ends_the_move(source: Path, original: Path, tmp_path: Path):
    import shutil

    target = tmp_path / "there"
    shutil.copytree(source, target, symlinks=True)
    move_folder(source, target)
    assert difference(original, target) is None and not source.exists()


def test_a_file_that_cannot_be_copied_leaves_the_original(source: Path, original: Path, tmp_path: Path):
    os.mkfifo(source / "pipe")
    with pytest.raises((OSError, StorageError)):
        move_folder(source, tmp_path / "there", rename=across)
    (source / "pipe").unlink()
    assert difference(original, source) is None
    assert sorted(p.name for p in tmp_path.iterdir()) == ["here", "original"]


@pytest.mark.parametrize("change", ["content", "name", "link", "kind"])
def test_folders_that_differ_are_told_apart(source: Path, original: Path, change: str):
    weights = source / "0" / "weights.npz"
    if change == "content":
        weights.write_bytes(bytes(3000))
    elif change == "name":
        weights.rename(source / "0" / "other.npz")
    elif change == "link":
        (source / "best").unlink()
        (source / "best").symlink_to("1")
    else:
        (source / "empty").rmdir()
        (source / "empty").write_text("")
    assert difference(original, source) is not None


def test_a_removed_folder_leaves_nothing(source: Path):
    remove_folder(source)
    assert list(source.parent.iterdir()) == []


@pytest.mark.parametrize("wait_ms", [0, 1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128])
def test_a_killed_move_leaves_it_whole_in_one_place_or_the_other(tmp_path: Path, wait_ms: int):
    source, target = tmp_path / "here" / "sweep", tmp_path / "there" / "sweep"
    for job in range(60):
        (source / str(job)).mkdir(parents=True)
        (source / str(job) / "weights.npz").write_bytes(os.urandom(60_000))
    import shutil

    shutil.copytree(source, tmp_path / "original")
    process = subprocess.Popen([sys.executable, "-c", _MOVE, str(source), str(target)], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    time.sleep(wait_ms / 1000)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    whole = [path for path in (source, target) if path.exists() and difference(tmp_path / "original", path) is None]
    assert whole, "neither place has it"
    assert all(path in whole for path in (source, target) if path.exists()), "half of it shows"
    if source.exists():  # the same move again ends it
        move_folder(source, target, rename=across)
    assert difference(tmp_path / "original", target) is None
    assert not source.exists() and [p.name for p in target.parent.iterdir()] == ["sweep"]
