from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runyard.base import SweepBusy
from runyard.record import ControllerLock, is_held, read_holder

_HOLD = """
import sys
from pathlib import Path
from runyard.record import ControllerLock
lock = ControllerLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
lock.release()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "20260131T120000Z-abc" / ".controller"


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    path.parent.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_with_the_name_of_the_first(path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(SweepBusy) as caught:
        ControllerLock(path).acquire()
    assert f"process {holder.pid} on {socket.gethostname()}, since 20" in str(caught.value)
    assert "runyard status 20260131T120000Z-abc" in caught.value.todo
    assert caught.value.where == str(path.parent)
    assert caught.value.exit_code == 2
    assert is_held(path)


def test_a_killed_holder_frees_the_lock(path: Path, holder: subprocess.Popen[str]) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert not is_held(path)
    lock = ControllerLock(path)
    lock.acquire()
    assert f'"pid": {os.getpid()}' in path.read_bytes().decode()  # the last look: closing it frees our own lock
    lock.release()


def test_a_holder_that_ends_frees_the_lock_and_takes_its_name_out(path: Path, holder: subprocess.Popen[str]) -> None:
    holder.communicate("")
    assert holder.returncode == 0
    assert not is_held(path)
    assert read_holder(path) is None
    assert path.read_text() == ""


def test_a_forked_process_does_not_have_the_lock_and_does_not_keep_it(path: Path) -> None:
    path.parent.mkdir()
    code = _HOLD.replace(
        "sys.stdin.read()",
        """
import os
child = os.fork()
if child == 0:
    sys.stdin.read()
    os._exit(0)
print(child, flush=True)
os.kill(os.getpid(), 9)
""",
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        child = int(process.stdout.readline())
        process.wait()
        os.kill(child, 0)  # it lives, with the holder's descriptors
        assert not is_held(path)
        ControllerLock(path).acquire()


def test_a_child_that_ends_does_not_free_its_parents_lock(path: Path) -> None:
    path.parent.mkdir()
    code = _HOLD.replace(
        'print("held", flush=True)',
        "import os\nif os.fork() == 0:\n    lock.release()\n    os._exit(0)\nos.wait()\nprint('held', flush=True)",
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert is_held(path)
        assert (read_holder(path) or {})["pid"] == process.pid
        process.kill()


def test_looking_whether_it_is_held_does_not_keep_a_controller_out(path: Path) -> None:
    path.parent.mkdir()
    look = (
        "import sys; from pathlib import Path; from runyard.record import is_held\n"
        "print('looking', flush=True)\n"
        "while True: is_held(Path(sys.argv[1]))"
    )
    path.touch()
    with subprocess.Popen([sys.executable, "-c", look, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        for _ in range(5):
            lock = ControllerLock(path)
            lock.acquire()
            lock.release()
        process.kill()


def test_a_lock_can_be_taken_freed_and_taken_again(path: Path) -> None:
    path.parent.mkdir()
    lock = ControllerLock(path)
    lock.release()  # without effect
    for _ in range(2):
        lock.acquire()
        lock.release()
        lock.release()
    assert not is_held(path)


@pytest.mark.parametrize("text", [None, "", "{", "[1]", '"x"'])
def test_a_lock_file_that_names_nobody_reads_as_none(path: Path, text: str | None) -> None:
    path.parent.mkdir()
    if text is not None:
        path.write_text(text)
    assert read_holder(path) is None
    assert not is_held(path)
