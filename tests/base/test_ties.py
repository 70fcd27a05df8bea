"""What ties processes to each other."""

import os
import signal
import subprocess
import sys

import pytest
from tests.conftest import wait_for

_CHILD = "import os, sys, time; from runyard.base import die_with_parent; die_with_parent(int(sys.argv[1])); "


def test_a_process_whose_parent_is_gone_already_ends_at_once():
    done = subprocess.run([sys.executable, "-c", _CHILD + "time.sleep(600)", "1"], check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="the system's call is Linux's")
def test_a_process_ends_with_the_one_that_started_it():
    child = _CHILD + "print(os.getpid(), flush=True); time.sleep(600)"
    code = f"import os, subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}, str(os.getpid())])"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
    wait_for(lambda: not _is_running(pid))


def _is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
