"""Signs of life: what a worker leaves in its sweep's directory, so that others know without asking Slurm.

A worker writes ``slurm/<worker>.beat`` about once a second. The shell that started it writes ``slurm/<worker>.end``
when the worker's process is gone, however it went. Nobody else writes them.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runyard.record import SweepPaths

#: how often a worker tells that it lives, and after how long without a word it is asked for, in seconds.
BEAT_S, SILENCE_S = 1.0, 4.0
#: a worker that was heard of so many seconds ago has lived since others asked about it last.
_RECENT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """What a worker last told: how often it has told, how often it had been started again, where, and its jobs."""

    count: int
    restarts: int
    node: str
    jobs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a worker's process ended: its exit code as the shell tells it, and in which of its lives."""

    code: int
    restarts: int


class Pulse:
    """The worker's side: tells that it lives."""

    def __init__(self, sweep_dir: Path, worker: str, *, restarts: int, node: str) -> None:
        self._path = SweepPaths(sweep_dir).slurm / f"{worker}.beat"
        self._restarts, self._node = restarts, node
        self._count, self._at = 0, float("-inf")

    def beat(self, jobs: Sequence[int]) -> bool:
        """Tells it when it is time to; returns whether it was."""
        now = time.monotonic()
        if now - self._at < BEAT_S:
            return False
        self._at, self._count = now, self._count + 1
        text = json.dumps([self._count, self._restarts, self._node, list(jobs)])
        # In place: the text is short, and a rename a second for each worker is much to ask of a file server.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            os.pwrite(descriptor, text.encode("utf-8") + b"\n", 0)
            os.ftruncate(descriptor, len(text.encode("utf-8")) + 1)
        finally:
            os.close(descriptor)
        return True


def read_beat(sweep_dir: Path, worker: str) -> Beat | None:
    """What a worker last told; None when it has told nothing, or is telling just now."""
    try:
        count, restarts, node, jobs = json.loads((SweepPaths(sweep_dir).slurm / f"{worker}.beat").read_text("utf-8"))
        return Beat(count=int(count), restarts=int(restarts), node=str(node), jobs=tuple(int(job) for job in jobs))
    except (OSError, ValueError, TypeError):
        return None


def heard_ago_s(sweep_dir: Path, worker: str) -> float | None:
    """How long ago a worker last told that it lives, in seconds, by the clock of the file system; None before that.

    Clocks of machines differ, so that it may be wrong by that. That a worker is dead is never decided on it alone.
    """
    try:
        return max(0.0, time.time() - (SweepPaths(sweep_dir).slurm / f"{worker}.beat").stat().st_mtime)
    except OSError:
        return None


def was_heard(sweep_dir: Path, worker: str) -> bool:
    """Whether a worker has told that it lives not long ago, whatever others say of it."""
    ago_s = heard_ago_s(sweep_dir, worker)
    return ago_s is not None and ago_s < _RECENT_S


def read_end(sweep_dir: Path, worker: str) -> End | None:
    """How a worker's last process ended; None when none has, or it cannot be read."""
    try:
        code, restarts = (SweepPaths(sweep_dir).slurm / f"{worker}.end").read_text("ascii").split()
        return End(code=int(code), restarts=int(restarts))
    except (OSError, ValueError):
        return None


class Silence:
    """Notices which workers have gone silent, by this process's own clock: those of machines differ."""

    def __init__(self, sweep_dir: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._dir, self._clock = sweep_dir, clock
        self._seen: dict[str, tuple[Beat | None, float]] = {}

    def of(self, worker: str) -> float:
        """For how long nothing new has been heard of a worker, in seconds; 0 at the first look."""
        beat, now = read_beat(self._dir, worker), self._clock()
        known = self._seen.get(worker)
        if known is None or known[0] != beat:
            self._seen[worker] = beat, now
            return 0.0
        return now - known[1]


def is_over(sweep_dir: Path, worker: str, restarts: int) -> bool:
    """Whether a life of a worker is known to be over, by what it has left: it has ended, or begun another life."""
    end, beat = read_end(sweep_dir, worker), read_beat(sweep_dir, worker)
    return (end is not None and end.restarts >= restarts) or (beat is not None and beat.restarts > restarts)


def wish_to_cancel(sweep_dir: Path, jobs: Sequence[int]) -> None:
    """Leaves word for the workers that jobs are to end."""
    folder = SweepPaths(sweep_dir).slurm / "cancel"
    folder.mkdir(parents=True, exist_ok=True)
    for job in jobs:
        (folder / str(job)).touch()


def cancelled_jobs(sweep_dir: Path) -> frozenset[int]:
    """Jobs that somebody wants to end."""
    with contextlib.suppress(OSError):
        return frozenset(int(name) for name in os.listdir(SweepPaths(sweep_dir).slurm / "cancel") if name.isdigit())
    return frozenset()


def say_stop(sweep_dir: Path, why: str) -> None:
    """Leaves word for all workers of a sweep that no further job is to begin: ``cancelled`` or ``failures``."""
    (SweepPaths(sweep_dir).slurm / f"stop-{why}").touch()


def is_stopped(sweep_dir: Path, why: str) -> bool:
    """Whether that word is there."""
    return (SweepPaths(sweep_dir).slurm / f"stop-{why}").exists()


def go_on(sweep_dir: Path) -> None:
    """Takes all such words back, before a sweep is taken up again."""
    folder = SweepPaths(sweep_dir).slurm
    for path in (*folder.glob("stop-*"), *folder.glob("cancel/*")):
        path.unlink(missing_ok=True)
