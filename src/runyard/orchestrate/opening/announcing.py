"""Announcing a directory: who started this process learns where its sweep or run lies, by a file that it names.

What this process prints goes to a file beside that one at first, and from then on to one in the directory.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from runyard.base import write_text

#: where the directory's path is to be written; taken out of the environment before any job is started.
ANNOUNCE_FILE = "RUNYARD_ANNOUNCE_FILE"
#: what the process prints until its directory is known, beside that file.
OUTPUT_NAME = "output.txt"

_turned: list[tuple[Path, Path]] = []  # where the output went before, and where it goes


def take_announcement() -> Path | None:
    """The file that waits for a directory's path, once: the variable is gone after that, so that no job has it."""
    named = os.environ.pop(ANNOUNCE_FILE, None)
    return Path(named) if named else None


def announce(waiting: Path | None, folder: Path, log: Path) -> None:
    """Writes, in one step, the path of a directory that has been claimed and has its record.

    Args:
        waiting: the file; None when nobody waits.
        folder: the directory.
        log: takes the output from now on, after what has been printed so far, if it goes to ``OUTPUT_NAME``.
    """
    if waiting is None:
        return
    output = waiting.with_name(OUTPUT_NAME)
    if _goes_to(output):
        _turn(output, log)
        _turned[:] = [(output, log)]
    write_text(waiting, f"{folder}\n")


def give_back_output() -> None:
    """Turns the output back to where it went before: the directory is about to be removed."""
    if _turned and _turned[0][0].exists():
        before, log = _turned.pop()
        _turn(log, before)


def _goes_to(output: Path) -> bool:
    """Whether standard output and error are this file."""
    try:
        return all(os.path.samestat(os.fstat(descriptor), output.stat()) for descriptor in (1, 2))
    except OSError:
        return False


def _turn(before: Path, after: Path) -> None:
    """Has the output go to another file, which gets what is in the first."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    after.write_bytes(before.read_bytes())
    descriptor = os.open(after, os.O_WRONLY | os.O_APPEND)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    os.close(descriptor)
