"""What ties a process to the one that started it, as the operating system keeps it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_SET_DEATH_SIGNAL, _SET_SUBREAPER = 1, 36
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _prctl(option: int, value: int) -> None:
    if _LIBC is not None:
        _LIBC.prctl(option, value, 0, 0, 0)


def die_with_parent(parent: int) -> None:
    """This process gets SIGKILL when the one that forked it ends; at once if that has happened already.

    Outside Linux only the second.
    """
    _prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def adopt_orphans(wanted: bool = True) -> None:
    """Descendants whose parent ends become children of this process. Without effect outside Linux."""
    _prctl(_SET_SUBREAPER, int(wanted))
