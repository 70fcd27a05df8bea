"""A run in a few words, for terminals. Pure but for the working directory, from which paths are shown."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from runyard.base import State
from runyard.record.run import RunRecord


def one_line(text: str) -> str:
    """Text without line ends and other characters that would disturb a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def shown(path: Path) -> str:
    """A path as short as it can be written: from here when it lies below, else whole."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def label_of(run: RunRecord) -> str:
    """What tells a run from the others: its swept values, or all its overrides when nothing was swept."""
    swept = [f"{name}={_as_override(value)}" for name, value in run.params.items()]
    return one_line(" ".join(swept or run.overrides))


def _as_override(value: Any) -> str:
    """A value as it would be written on the command line, where that differs from Python's text."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else "null" if value is None else str(value)


def reason_of(run: RunRecord) -> str:
    """Why the last attempt of a run did not complete, in one line."""
    last = run.attempts[-1] if run.attempts else None
    if last is None:
        return "it never began"
    if last.error is not None:
        first = last.error.message.strip().splitlines()
        return one_line(f"{last.error.type}: {first[0]}" if first else last.error.type)
    if last.signal is not None:
        return f"killed by {last.signal}"
    if last.exit_code is not None:
        return f"exit code {last.exit_code}"
    return "its process is gone" if run.state is State.LOST else "no cause is recorded"
