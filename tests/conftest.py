"""What every test may use: starting applications as users do, in processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

APPS = Path(__file__).parent / "apps"
REPO = Path(__file__).parent.parent

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background jobs ignore Ctrl-C, and so would every program that a test starts and interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass
class Shell:
    """Runs programs in one directory, as a user at a terminal there."""

    cwd: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def environment(self, **extra: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HYDRA_", "RUNYARD_", "SLURM_", "COV_"))}
        # Real users have no such filter; without it every warning of every library would end a job.
        kept.pop("PYTHONWARNINGS", None)
        # sweeps of one test share the machine's devices with each other, and not with those of other tests
        return {**kept, "MPLBACKEND": "agg", "RUNYARD_DEVICES_DIR": str(self.cwd / "devices"), **extra}

    def python(self, *args: str, check: int | None = None, timeout_s: float = 120, **extra: str) -> Any:
        """Runs ``python args...``; with ``check``, its exit code must be that."""
        done = subprocess.run(
            [sys.executable, *args],
            cwd=self.cwd,
            env=self.environment(**extra),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if check is not None:
            assert done.returncode == check, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def app(self, name: str, *args: str, **options: Any) -> Any:
        """Runs one of the test applications."""
        return self.python(str(APPS / f"{name}.py"), *args, **options)

    def runyard(self, *args: str, **options: Any) -> Any:
        """Runs the ``runyard`` command."""
        return self.python("-m", "runyard", *args, **options)

    def start(self, *args: str, log: str = "started.log") -> subprocess.Popen[str]:
        """Starts ``python args...`` in the background; its output goes to a file."""
        with (self.cwd / log).open("a") as file:
            process = subprocess.Popen(
                [sys.executable, *args],
                cwd=self.cwd,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def start_app(self, name: str, *args: str) -> subprocess.Popen[str]:
        """Starts a test application in the background."""
        return self.start(str(APPS / f"{name}.py"), *args)

    def sweeps(self, experiment: str, root: str = "multirun") -> list[Path]:
        """Directories of an experiment's sweeps, oldest first."""
        folder = self.cwd / root / experiment
        if not folder.is_dir():
            return []
        return sorted(p for p in folder.iterdir() if p.is_dir() and not p.is_symlink())

    def only_sweep(self, experiment: str, root: str = "multirun") -> Path:
        (sweep,) = self.sweeps(experiment, root)
        return sweep

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A directory, and programs run in it."""
    shell = Shell(tmp_path)
    yield shell
    shell.end()


def read_json(path: Path) -> Any:
    return json.loads(path.read_text())


def wait_for(condition: Callable[[], Any], timeout_s: float = 30) -> Any:
    """Waits until the condition holds, and returns what it gave."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return value


def processes_of(sweep: Path) -> list[int]:
    """Living processes that belong to a sweep's jobs: by their environment, or by the log that they write to."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            with contextlib.suppress(OSError):
                started_with = Path(f"/proc/{name}/environ").read_bytes()
                output = os.readlink(f"/proc/{name}/fd/1")
                if f"RUNYARD_SWEEP_DIR={sweep}".encode() in started_with or output.startswith(f"{sweep}/"):
                    found.append(int(name))
    return found
