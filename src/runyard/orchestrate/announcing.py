"""Announcing a directory: who started this process learns where its sweep or run lies, by a file that it names."""

from __future__ import annotations

import os
from pathlib import Path

from runyard.base import write_text

#: where the directory's path is to be written; taken out of the environment before any job is started.
ANNOUNCE_FILE = "RUNYARD_ANNOUNCE_FILE"


def take_announcement() -> Path | None:
    """The file that waits for a directory's path, once: the variable is gone after that, so that no job has it."""
    named = os.environ.pop(ANNOUNCE_FILE, None)
    return Path(named) if named else None


def announce(waiting: Path | None, folder: Path) -> None:
    """Writes, in one step, the path of a directory that has been claimed and has its record."""
    if waiting is not None:
        write_text(waiting, f"{folder}\n")
