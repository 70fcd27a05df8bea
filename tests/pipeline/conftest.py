from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Start = Callable[..., "subprocess.Popen[str]"]

_HEAD = """
import os, signal, sys, time
from pathlib import Path
from runyard import current, run_stage, shared, table
from runyard.testing import active_run
folder = Path(sys.argv[1])
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts Python code in a process of its own; ``folder`` there is the test's ``tmp_path``."""
    started: list[subprocess.Popen[str]] = []

    def _start(code: str, *args: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", _HEAD + textwrap.dedent(code), str(tmp_path), *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield _start
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
