"""Processes that are forked before their task: while nothing else is to be done, and ready for it when its turn comes.

The template holds a ``Spare``; the process at the other end waits in ``await_task``.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import struct
from collections.abc import Callable
from dataclasses import dataclass

from runyard.base import write_all
from runyard.execute.task import Task

_LENGTH = struct.Struct("!Q")
_GO = b"!"


@dataclass(slots=True)
class Spare:
    """The template's side: the process, where its report comes from, its token, and where it is handed its task.

    ``ticket`` is that of the task which it has got already, and which waits for its turn.
    """

    pid: int
    reads: int
    token: str
    hands: int
    ticket: int | None = None

    def hand(self, task: Task) -> bool:
        """Hands over the task, for when its turn comes; returns whether somebody was there to take it."""
        data = pickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL)
        self.ticket = task.ticket
        return self._says(_LENGTH.pack(len(data)) + data)

    def start(self) -> bool:
        """Says that the turn of its task has come, once and for all; returns whether somebody was there to hear it."""
        is_there = self._says(_GO)
        os.close(self.hands)
        return is_there

    def _says(self, data: bytes) -> bool:
        try:
            write_all(self.hands, data)
        except OSError:  # somebody has killed it, or it could not get ready
            return False
        return True

    def dismiss(self) -> None:
        """Closes what leads to the process, which then ends."""
        os.close(self.hands)
        os.close(self.reads)


def await_task(takes: int, last: Task | None, get_ready: Callable[[Task], None] | None) -> Task:
    """In the spare process: waits for its task and for the turn of it.

    Ends the process when the template is gone, or wants it no more.

    Args:
        takes: where the task comes from.
        last: a task like it. The memory that one touches is copied when it is first touched: this takes it ahead.
        get_ready: does what can be done for the task before its turn. What it raises is left to its turn, when the
            output goes where it belongs.
    """
    if last is not None:
        pickle.loads(pickle.dumps(last)), pickle.loads(last.payload)
    with open(takes, "rb") as file:
        (length,) = _LENGTH.unpack(_or_end(file.read(_LENGTH.size), _LENGTH.size))
        task: Task = pickle.loads(_or_end(file.read(length), length))
        if get_ready is not None:
            with contextlib.suppress(Exception):
                get_ready(task)
        _or_end(file.read(1), 1)
    return task


def _or_end(data: bytes, length: int) -> bytes:
    if len(data) < length:
        os._exit(0)
    return data
