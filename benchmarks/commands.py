"""Programs run and watched: how long they take, how much memory and processor time which process uses. Linux only."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
_PATIENCE_S = 3600.0
_LOOK_EVERY_S = 0.02


class BenchmarkError(Exception):
    """A measurement that is none: the program failed, or did not do what it was to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder to work in. ``home`` keeps the caches of libraries between runs, ``ray_python`` is the interpreter
    of an environment with hydra-ray-launcher, where there is one.

    Nothing in it is removed while anything is measured: for minutes, ext4 looks past every inode that was freed when it
    makes a file, and so a sweep would pay for the removal of the one before.
    """

    root: Path
    ray_python: Path | None = None

    @property
    def home(self) -> Path:
        return self.root / "home"

    def environment(self, **extra: str) -> dict[str, str]:
        """What programs are started with: nothing that could turn a contender's knobs."""
        prefixes = ("HYDRA_", "RUNYARD_", "SLURM_", "RAY_", "XDG_", "PYTHON", "COV_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(prefixes)}
        return {**kept, "HOME": str(self.home), "MPLBACKEND": "agg", **extra}

    def folder(self) -> Path:
        """A new folder."""
        path = self.root / f"run-{time.monotonic_ns()}"
        path.mkdir(parents=True)
        self.home.mkdir(exist_ok=True)
        return path


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program took, from its start to its end."""

    started_at: float
    seconds: float
    output: str


Watch = Callable[[int], None]


def run(command: Sequence[str], place: Place, cwd: Path, *, watch: Watch | None = None, **extra: str) -> Ran:
    """Runs a program to its end; ``watch`` is called with its number fifty times a second.

    Raises:
        BenchmarkError: it did not end with 0.
    """
    log = cwd / f"output-{time.monotonic_ns()}.log"
    with log.open("w+", errors="replace") as file:
        started_at, began = time.time(), time.perf_counter()
        process = _start(command, place, cwd, file, **extra)
        try:
            while watch is not None and process.poll() is None:
                watch(process.pid)
                time.sleep(_LOOK_EVERY_S)
            with _patience(process):
                process.wait()  # with a limit it would look only every 50 ms
        finally:
            end(process)
        seconds = time.perf_counter() - began
        file.seek(0)
        output = file.read()
    if process.returncode != 0:
        raise BenchmarkError(f"{' '.join(command)} ended with {process.returncode}:\n{output[-3000:]}")
    return Ran(started_at, seconds, output)


@contextlib.contextmanager
def _patience(process: subprocess.Popen[str]) -> Iterator[None]:
    """Ends a program that does not end by itself."""
    timer = threading.Timer(_PATIENCE_S, end, (process,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def start(command: Sequence[str], place: Place, cwd: Path, **extra: str) -> subprocess.Popen[str]:
    """Starts a program whose output nobody reads; ``end`` ends it."""
    return _start(command, place, cwd, subprocess.DEVNULL, **extra)


def _start(command: Sequence[str], place: Place, cwd: Path, output: object, **extra: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        list(command),
        cwd=cwd,
        env=place.environment(**extra),
        stdin=subprocess.DEVNULL,
        stdout=output,  # type: ignore[arg-type]
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def end(process: subprocess.Popen[str], number: int = signal.SIGINT) -> None:
    """Ends a program and its group if it still runs: asks first."""
    for wanted, patience_s in ((number, 20.0), (signal.SIGKILL, 20.0)):
        if process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, wanted)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)


def script(name: str) -> str:
    """A command of this environment."""
    path = Path(sysconfig.get_path("scripts"), name)
    if not path.exists():
        raise BenchmarkError(f"{path} is not there: install the project (pip install -e .)")
    return str(path)


def module(name: str, *args: object) -> list[str]:
    """The command that runs one of our modules; to be run in REPO."""
    return [sys.executable, "-m", name, *map(str, args)]


def count_jobs(folder: Path) -> int:
    """The jobs that have run below a folder: those to which a ``.hydra`` with its three files was written."""
    wanted = {"config.yaml", "hydra.yaml", "overrides.yaml"}
    return sum(path.endswith("/.hydra") and wanted <= set(files) for path, _, files in os.walk(folder))


class PeakMemory:
    """The most memory that one process has had, without its children: ``VmHWM``."""

    def __init__(self) -> None:
        self.mb = 0.0

    def __call__(self, pid: int) -> None:
        """Looks."""
        for line in _proc(pid, "status").splitlines():
            if line.startswith("VmHWM:"):
                self.mb = max(self.mb, int(line.split()[1]) / 1024)


@dataclass(frozen=True, slots=True)
class Cpu:
    """Seconds of processor time: of a process, and of its children that have ended; and their page faults."""

    own: float
    children: float
    children_faults: int


def cpu_of(pid: int) -> Cpu | None:
    """What a process has used; None when it is gone."""
    fields = _proc(pid, "stat").rpartition(")")[2].split()
    if not fields:
        return None
    tick = os.sysconf("SC_CLK_TCK")
    user, system, children_user, children_system = (int(text) / tick for text in fields[11:15])
    return Cpu(user + system, children_user + children_system, int(fields[8]))


def children_of(pid: int) -> list[int]:
    """Processes whose parent it is."""
    return [int(word) for word in _proc(pid, f"task/{pid}/children").split()]


def _proc(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return ""
