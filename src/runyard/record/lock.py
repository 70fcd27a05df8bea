"""One controller a sweep: a lock that dies with its process, and says who holds it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runyard.base import SweepBusy, iso, utc_now

#: ``is_held`` takes a shared lock for an instant; a controller that meets it tries again.
_TRIES, _PAUSE_S = 5, 0.05


class ControllerLock:
    """Held by the controller of a sweep for as long as it lives.

    A POSIX record lock: the system frees it when the process ends, however it ends, and processes forked
    from the holder do not have it. The file's text names the holder, for people and for the message.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._owner = 0

    def acquire(self) -> None:
        """Takes the lock.

        Raises:
            SweepBusy: another process has it.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        for tries_left in reversed(range(_TRIES)):
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as exc:
                if not tries_left:
                    os.close(descriptor)
                    raise self._busy() from exc
                time.sleep(_PAUSE_S)
        self._descriptor, self._owner = descriptor, os.getpid()
        text = json.dumps(controller_identity()) + "\n"
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)

    def release(self) -> None:
        """Frees the lock; without effect when it is not held, or by a process forked from the holder."""
        if self._descriptor >= 0:
            if os.getpid() == self._owner:
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1

    def _busy(self) -> SweepBusy:
        holder = read_holder(self._path) or {}
        pid, host = holder.get("pid", "?"), holder.get("host", "?")
        return SweepBusy(
            f"another controller is at work on this sweep: process {pid} on {host}, since {holder.get('since', '?')}",
            where=str(self._path.parent),
            todo=f"wait for it, watch it with 'runyard status {self._path.parent.name}', "
            f"or stop it with 'runyard cancel {self._path.parent.name}'",
        )


def controller_identity() -> dict[str, Any]:
    """Process number, host and time, as they stand in the lock and in ``sweep.json``."""
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": iso(utc_now())}


def read_holder(path: Path) -> Mapping[str, Any] | None:
    """What the lock file says of its holder; None when it is empty or missing.

    Not for the holding process: see ``is_held``.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock.

    Never call it in the holding process: closing any descriptor of the file would free the lock.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
