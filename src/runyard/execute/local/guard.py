"""Processes and their descendants, as the operating system knows them: find, end."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from pathlib import Path


def children_of(pid: int) -> list[int]:
    """Processes whose parent is ``pid``; empty where the system does not tell, and for one that is dead."""
    return [int(word) for word in _read(f"/proc/{pid}/task/{pid}/children").split()]


def _read(path: str) -> bytes:
    """What stands in a file of ``/proc``; nothing where there is none. For those that are read for every job."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        parts = []
        while part := os.read(descriptor, 1 << 16):
            parts.append(part)
        return b"".join(parts)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def descendants_of(pid: int) -> list[int]:
    """Children, their children, and so on, parents first."""
    found: list[int] = []
    queue = children_of(pid)
    while queue:
        child = queue.pop()
        found.append(child)
        queue.extend(children_of(child))
    return found


def session_of(pid: int) -> int | None:
    """The session that a process belongs to, also while it is dead and not yet waited for; None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(text.rpartition(")")[2].split()[3])


def has_token(pid: int, token: str) -> bool:
    """Whether ``token`` stands in the environment that a process was started with."""
    try:
        return token.encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


def signal_tree(pid: int, number: int) -> None:
    """Sends a signal to the process, its group (which it leads) and all its descendants."""
    others = descendants_of(pid)
    signal_group(pid, number)
    for other in others:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(other, number)


def signal_group(pid: int, number: int) -> None:
    """Sends a signal to the group that the process leads, or led."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def writes_to(pid: int, place: Path) -> bool:
    """Whether a process has its standard output or error in the file ``place``, or in one below that folder."""
    real = os.path.realpath(place)
    for descriptor in (1, 2):
        with contextlib.suppress(OSError):
            if f"{os.readlink(f'/proc/{pid}/fd/{descriptor}')}/".startswith(f"{real}/"):
                return True
    return False


def end_processes(token: str, *, folder: Path | None = None, candidates: list[int] | None = None) -> list[int]:
    """Kills processes in whose environment ``token`` stands, and their descendants; returns those it found.

    Args:
        token: such as ``RUNYARD_SWEEP_DIR=/path``. A process has the environment it was started with: one that was
            forked and never replaced its program does not show what was set after the fork.
        folder: also those whose output goes to a file below it; None for none.
        candidates: the processes to look at; None means all of this machine.
    """
    pids = _all_processes() if candidates is None else candidates
    mine = os.getpid()
    found = [p for p in pids if p != mine and (has_token(p, token) or (folder is not None and writes_to(p, folder)))]
    for pid in found:
        signal_tree(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return found


def _all_processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def peak_mb(usage: resource.struct_rusage) -> float:
    """The largest resident size that a process has had, in megabytes of 1024 kB; the systems tell it in two units."""
    return usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)


def memory_kills() -> int:
    """Processes that the kernel has killed for memory since the machine started; 0 where it does not tell."""
    for line in _read("/proc/vmstat").splitlines():
        if line.startswith(b"oom_kill "):
            return int(line.split()[1])
    return 0
