"""The end of a log, and what is added to it while a job runs. Reads only."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from runyard.base import read_tail, readable
from runyard.record import redact_text

TAIL_BYTES = 64_000
#: of a line that has no end yet, bytes that are kept back until it has one: a secret must not be cut in two.
_LONGEST_LINE = 16_384
_BLOCK = 65_536
_LOOK_S = 0.5


def log_tail(path: Path, lines: int | None = None) -> str:
    """The last lines of a log, at most 64 kB, without secrets and colours; empty when it cannot be read."""
    text = _shown(read_tail(path, TAIL_BYTES)[0])
    if lines is None:
        return text
    return "".join(text.splitlines(keepends=True)[-lines:] if lines else [])


async def follow(path: Path, lines: int | None, has_ended: Callable[[], bool]) -> AsyncIterator[str]:
    """The last lines of a log, then what is added, until ``has_ended``; from the beginning when it begins anew.

    Args:
        path: the log; it need not be there yet.
        lines: how many lines of what is there already; None for all of the last 64 kB.
        has_ended: whether nobody will write any more. Called in a thread.
    """
    reader = _Reader(path)
    yield await asyncio.to_thread(reader.first, lines)
    while True:
        ended = await asyncio.to_thread(has_ended)  # before the look: what was written before the end is read
        while text := await asyncio.to_thread(reader.more):
            yield text
        if ended:
            yield reader.rest()
            return
        await asyncio.sleep(_LOOK_S)


class _Reader:
    """Reads a growing file in whole lines."""

    def __init__(self, path: Path) -> None:
        self._path, self._at, self._held = path, 0, ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def first(self, lines: int | None) -> str:
        text, start = read_tail(self._path, TAIL_BYTES)
        self._at = start + len(text.encode())
        if self._path.is_file():
            self._at = min(self._at, self._path.stat().st_size)
        shown, self._held = _whole_lines(text)
        shown = _shown(shown)
        return shown if lines is None else "".join(shown.splitlines(keepends=True)[-lines:] if lines else [])

    def more(self) -> str:
        """What was added, in whole lines; empty when nothing was."""
        try:
            with self._path.open("rb") as file:
                if file.seek(0, 2) < self._at:
                    self._at, self._held = 0, ""
                    self._decoder.reset()
                file.seek(self._at)
                data = file.read(_BLOCK)
        except OSError:
            return ""
        self._at += len(data)
        shown, self._held = _whole_lines(self._held + self._decoder.decode(data))
        return _shown(shown)

    def rest(self) -> str:
        """A last line without an end."""
        return _shown(self._held)


def _whole_lines(text: str) -> tuple[str, str]:
    head, end, tail = text.rpartition("\n")
    return (head + end, tail) if len(tail) < _LONGEST_LINE else (text, "")


def _shown(text: str) -> str:
    return redact_text(readable(text))
