"""The controller's side of jobs in processes: starts the template, hands it tasks, hears of their ends."""

from __future__ import annotations

import contextlib
import os
import pickle
import selectors
import signal
import time
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

from runyard.base import adopt_orphans
from runyard.execute.local.channel import Channel, channel_pair
from runyard.execute.local.child import TOKEN_VARIABLE
from runyard.execute.local.guard import (
    children_of,
    descendants_of,
    has_token,
    session_of,
    signal_tree,
    writes_to,
)
from runyard.execute.local.template import token_prefix
from runyard.execute.task import Ended, Event, Started, Task


class TemplatePool(ABC):
    """Runs tasks, each in a process of its own that a template process starts. See ``execute.Pool``.

    If the template is killed, its jobs die with it, are reported as lost (neither code nor signal), and a new
    template takes its place.
    """

    def __init__(self) -> None:
        self._running: dict[int, Task] = {}  # by ticket
        self._line: dict[int, Task] = {}  # by ticket: those that start when others have ended
        self._is_called_back = False
        self._pids: dict[int, int] = {}  # by ticket, as soon as they are known
        self._pid = 0

    @abstractmethod
    def _start_template(self, ours: Channel, theirs: Channel) -> int:
        """Starts the template at the other end of a channel; returns its process."""

    def start(self) -> None:
        """Starts the template. Call it before this process starts threads."""
        adopt_orphans()  # what jobs have started must not slip away when the template is killed
        ours, theirs = channel_pair()
        self._pid = self._start_template(ours, theirs)
        theirs.close()
        self._channel = ours
        self._selector = selectors.DefaultSelector()
        self._selector.register(ours, selectors.EVENT_READ)

    def launch(self, task: Task) -> None:
        """Starts a task. Its ticket must not be in use. The payload is pickled, and unpickled in its process only."""
        self._running[task.ticket] = task
        self._tell("start", _pickled(task))

    def line_up(self, task: Task) -> None:
        """Takes a task on that is to start in the place of the next one that ends with code 0, in order."""
        self._line[task.ticket] = task
        self._tell("line up", _pickled(task))

    def start_now(self, ticket: int) -> None:
        """Starts a task of the line; without effect when it has started already."""
        if ticket in self._line:
            self._running[ticket] = self._line.pop(ticket)
            self._tell("start now", ticket)

    def call_back(self) -> None:
        """Forgets the tasks in line, for good. Those that have started by then are told of as ever."""
        self._is_called_back = True
        self._tell("call back", None)

    def _tell(self, verb: str, argument: Any) -> None:
        with contextlib.suppress(OSError):  # the template is gone: wait() will tell
            self._channel.send((verb, argument))

    def signal(self, ticket: int, number: int) -> None:
        """Sends a signal to a task's process and everything it started; without effect when it has ended."""
        if ticket in self._running:
            self._tell("signal", (ticket, number))

    def wait(self, timeout_s: float) -> list[Event]:
        """What has happened; waits for the first event up to ``timeout_s``."""
        if not self._channel.has_messages and not self._selector.select(timeout_s):
            return []
        events: list[Event] = list(self._channel.receive())
        for event in events:
            if isinstance(event, Started):
                self._pids[event.ticket] = event.pid
                if event.ticket in self._line:
                    self._running[event.ticket] = self._line.pop(event.ticket)
            else:
                self._running.pop(event.ticket, None)
                self._pids.pop(event.ticket, None)
        if self._channel.is_closed:
            events.extend(Ended(ticket=t, exit_code=None, signal=None) for t in sorted(self._running))
            self._bury()
            self._running.clear()
            self._pids.clear()
            self.start()
            for task in () if self._is_called_back else self._line.values():
                self._tell("line up", _pickled(task))
        return events

    def close(self) -> None:
        """Ends whatever still runs, and the template."""
        if self._pid:
            self._bury()

    def _bury(self) -> None:
        self._selector.close()
        self._channel.close()
        deadline = time.monotonic() + 8.0
        while time.monotonic() < deadline:
            try:
                if os.waitpid(self._pid, os.WNOHANG)[0]:
                    break
            except ChildProcessError:
                break
            time.sleep(0.002)
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
        self._end_orphans()
        adopt_orphans(False)
        self._pid = 0

    def _end_orphans(self) -> None:
        """Ends what jobs had started, when the template could not. Jobs die with it; what is theirs comes to us."""
        quiet, doomed = 0, set[int]()
        while quiet < 2:
            orphans = [pid for pid in children_of(os.getpid()) if pid in doomed or self._is_orphan(pid)]
            for pid in orphans:
                doomed.update(descendants_of(pid))  # once dead they come to us, and can be told no more
                signal_tree(pid, signal.SIGKILL)
                with contextlib.suppress(ProcessLookupError, ChildProcessError):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
            quiet = 0 if orphans else quiet + 1
            time.sleep(0.01 if self._running else 0)

    def _is_orphan(self, pid: int) -> bool:
        """Whether a child of this process is a job, belongs to one, or waits for one in the template's session.

        It is known by its session, by its token, or by its output.
        """
        session = session_of(pid)
        if session == self._pid or session in self._pids.values():
            return True
        if has_token(pid, f"{TOKEN_VARIABLE}={token_prefix(self._pid)}"):
            return True
        return any(writes_to(pid, task.output) for task in self._running.values())


def _pickled(task: Task) -> Task:
    return replace(task, payload=pickle.dumps(task.payload, protocol=pickle.HIGHEST_PROTOCOL))
