"""A file that one process at a time holds, with patience: for files that promote, leaderboard and archive share.

The lock is the system's: it is free when its holder has ended, however it ended.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runyard.base import RecordError

_PATIENCE_S, _PAUSE_S = 30.0, 0.02


@contextmanager
def held(path: Path, *, timeout_s: float = _PATIENCE_S) -> Iterator[None]:
    """Keeps other processes that hold the same file out while it lasts. Not to be nested for one file.

    A POSIX record lock, as the registry's own, so that both keep each other out. It does not keep other threads of this
    process out.

    Args:
        path: the lock's file; it is made, with its folder, and stays.
        timeout_s: how long to wait, in seconds.

    Raises:
        RecordError: others have held it all the time, or the file system knows no locks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + timeout_s
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        while not _is_taken(descriptor, path):
            if time.monotonic() >= deadline:
                raise RecordError(path, f"other processes have held the lock for {timeout_s:g} s")
            time.sleep(_PAUSE_S)
        yield
    finally:
        os.close(descriptor)


def _is_taken(descriptor: int, path: Path) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        if exc.errno in (errno.EACCES, errno.EAGAIN):
            return False
        raise RecordError(path, f"cannot be locked ({exc})") from exc
    return True
