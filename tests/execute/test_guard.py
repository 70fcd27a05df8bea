from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runyard.execute import end_processes
from runyard.execute.local.guard import children_of, descendants_of, has_token, session_of, signal_tree, writes_to

from .conftest import is_gone, wait_until

_FAMILY = """
import subprocess, sys, time
if sys.argv[1:]:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    subprocess.Popen([sys.executable, sys.argv[0]], start_new_session=True)
time.sleep(600)
"""


@pytest.fixture
def family(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process with two children, one of them in a session of its own; all write to ``out/log``."""
    (tmp_path / "family.py").write_text(_FAMILY)
    (tmp_path / "out").mkdir()
    with (
        (tmp_path / "out" / "log").open("w") as log,
        subprocess.Popen(
            [sys.executable, str(tmp_path / "family.py"), "parent"],
            stdout=log,
            env={**os.environ, "RUNYARD_TEST": f"family-{os.getpid()}"},
            start_new_session=True,
        ) as process,
    ):
        wait_until(lambda: len(children_of(process.pid)) == 2)
        everything = [process.pid, *descendants_of(process.pid)]
        yield process
        for pid in everything:
            if not is_gone(pid):
                os.kill(pid, signal.SIGKILL)


def test_a_family_is_known(family: subprocess.Popen[bytes]) -> None:
    assert family.pid in children_of(os.getpid())
    assert family.pid in descendants_of(os.getpid())
    assert set(children_of(family.pid)) == set(descendants_of(family.pid))
    assert session_of(family.pid) == family.pid
    wait_until(lambda: len({session_of(pid) for pid in children_of(family.pid)}) == 2)
    assert family.pid in {session_of(pid) for pid in children_of(family.pid)}


def test_a_signal_reaches_the_whole_family(family: subprocess.Popen[bytes]) -> None:
    everything = descendants_of(family.pid)
    signal_tree(family.pid, signal.SIGTERM)
    assert family.wait() == -signal.SIGTERM
    wait_until(lambda: all(is_gone(pid) for pid in everything))


def test_processes_are_found_by_their_environment(family: subprocess.Popen[bytes]) -> None:
    token = f"RUNYARD_TEST=family-{os.getpid()}\0"
    everything = [family.pid, *descendants_of(family.pid)]
    assert all(wait_until(lambda pid=pid: has_token(pid, token)) for pid in everything)
    assert not has_token(os.getpid(), token)
    assert end_processes(token, candidates=[os.getpid()]) == []
    assert set(end_processes(token)) == set(everything)
    wait_until(lambda: all(is_gone(pid) for pid in everything))


def test_processes_are_found_by_where_they_write(family: subprocess.Popen[bytes], tmp_path: Path) -> None:
    everything = [family.pid, *descendants_of(family.pid)]
    (tmp_path / "link").symlink_to(tmp_path / "out")
    for place in ("out", "out/log", "link", "link/log", "."):
        assert all(writes_to(pid, tmp_path / place) for pid in everything), place
    for place in ("ou", "out/lo", "out/log/x", "elsewhere"):
        assert not any(writes_to(pid, tmp_path / place) for pid in everything), place
    found = end_processes("RUNYARD_TEST=nobody\0", folder=tmp_path / "link")
    assert set(found) == set(everything)
    wait_until(lambda: all(is_gone(pid) for pid in everything))


def test_a_process_that_is_not_there_has_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert (children_of(process.pid), descendants_of(process.pid)) == ([], [])
    assert session_of(process.pid) is None
    assert not has_token(process.pid, "PATH")
    assert not writes_to(process.pid, Path("/"))
    signal_tree(process.pid, signal.SIGKILL)
