"""Claims: which worker has taken which job, on a file system that several machines share.

A claim is a file with its holder's name in it, and comes into being in one step: it is written under a name of its own
and then linked to the name of the claim, which fails where that is taken. No lock is needed, and a reader never sees
half of one. Where the file system has no links, the claim is created by that name directly, which is one step as well.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

#: what a file system answers that has no hard links.
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV, errno.EACCES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who has taken a job.

    ``restarts`` is how often the worker's allocation had been started again by then, ``attempts`` how many attempts at
    the job were over.
    """

    worker: str
    restarts: int = 0
    attempts: int = 0


class Claims:
    """The claims of one sweep. Jobs may be taken several times, one turn after another; turns count from 1."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.fspath(folder)
        self._links = True

    def take(self, job: int, turn: int, holder: Holder) -> bool:
        """Takes a job; returns False when another has that turn.

        Raises:
            OSError: the file cannot be made, such as on a full disk.
        """
        target = f"{self._folder}/{job}.{turn}"
        data = json.dumps([holder.worker, holder.restarts, holder.attempts]).encode("ascii")
        if not self._links:
            return _create(target, data)
        own = f"{self._folder}/.{holder.worker}-{os.getpid()}-{secrets.token_hex(4)}"
        _create(own, data)
        try:
            os.link(own, target)
            return True
        except FileExistsError:
            # On NFS the answer of a link that was made may be lost, and the second try finds it there.
            return os.stat(own).st_nlink == 2
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._links = False
            return _create(target, data)
        finally:
            os.unlink(own)

    def give_back(self, job: int, turn: int) -> None:
        """Takes back a claim of one's own, of a job that has not been started."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self._folder}/{job}.{turn}")

    def turns(self) -> dict[int, int]:
        """The last turn of each job that was ever taken."""
        found: dict[int, int] = {}
        with contextlib.suppress(FileNotFoundError), os.scandir(self._folder) as entries:
            for entry in entries:
                job, dot, turn = entry.name.partition(".")
                if dot and job.isdigit() and turn.isdigit():
                    found[int(job)] = max(found.get(int(job), 0), int(turn))
        return found

    def holder(self, job: int, turn: int) -> Holder | None:
        """Who has a turn of a job; None when nobody has, or the claim cannot be read."""
        try:
            with open(f"{self._folder}/{job}.{turn}", "rb") as file:
                worker, restarts, attempts = json.loads(file.read())
            return Holder(worker=str(worker), restarts=int(restarts), attempts=int(attempts))
        except (OSError, ValueError, TypeError):
            return None


def _create(path: str, data: bytes) -> bool:
    """Makes a file that was not there; returns False when it was."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        return False
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)
    return True
