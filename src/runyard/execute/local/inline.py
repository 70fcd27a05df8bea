"""Tasks in the controller's own process, one after the other: for a debugger."""

from __future__ import annotations

import bdb
import contextlib
import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator
from types import FrameType
from typing import Any

from runyard.base import append_text
from runyard.execute.local.child import Work
from runyard.execute.task import Ended, Event, Started, Task

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_NOTE = "this job ran in the process of its controller (isolation inline): its output went to the terminal\n"


class InlinePool:
    """Runs tasks in this process, while ``wait`` is called. See ``execute.Pool``.

    Environment and working directory are put back after each task; what it changes elsewhere in the process stays.
    SIGINT and SIGTERM raise KeyboardInterrupt in the task, and reach the handlers that were there before too; at the
    prompt of a debugger they are the debugger's. Nothing can end a task that does not end: its memory is not limited,
    and ``signal`` has no effect once it runs.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._waiting: deque[Task] = deque()
        self._line: deque[Task] = deque()
        self._announced: Task | None = None
        self._ends: deque[Ended] = deque()

    def start(self) -> None:
        """Nothing is needed."""

    def launch(self, task: Task) -> None:
        """Puts a task into the queue."""
        self._waiting.append(task)

    def line_up(self, task: Task) -> None:
        """Keeps a task. It has nothing to wait for that could pass by: ``start_now`` starts it."""
        self._line.append(task)

    def start_now(self, ticket: int) -> None:
        """Moves a task from the line into the queue."""
        for task in [task for task in self._line if task.ticket == ticket]:
            self._line.remove(task)
            self._waiting.append(task)

    def call_back(self) -> None:
        """Forgets the tasks in line."""
        self._line.clear()

    def signal(self, ticket: int, number: int) -> None:
        """Takes a task that has not begun out of the queue; also one that was told to begin, and is about to."""
        if self._announced is not None and self._announced.ticket == ticket:
            self._announced = None
            self._ends.append(Ended(ticket=ticket, exit_code=None, signal=number))
        for task in [task for task in self._waiting if task.ticket == ticket]:
            self._waiting.remove(task)
            self._ends.append(Ended(ticket=ticket, exit_code=None, signal=number))

    def wait(self, timeout_s: float) -> list[Event]:
        """Tells that the next task has begun; when called again, runs it and tells how it ended."""
        if self._ends:
            return [self._ends.popleft()]
        task, self._announced = self._announced, None
        if task is not None:
            return [self._run(task)]
        if self._waiting:
            self._announced = self._waiting.popleft()
            return [Started(ticket=self._announced.ticket, pid=os.getpid())]
        time.sleep(timeout_s)
        return []

    def close(self) -> None:
        """Forgets the tasks that have not begun."""
        self._waiting.clear()
        self._line.clear()
        self._announced = None

    def _run(self, task: Task) -> Ended:
        reported: list[bytes] = []
        try:
            task.output.parent.mkdir(parents=True, exist_ok=True)
            append_text(task.output, _NOTE)
            with _put_back(), _interruptible():
                os.environ.update(task.environment)
                code = self._work(task.payload, reported.append)
        except BaseException as error:  # the border between tasks: what happens to one is an event
            traceback.print_exc()
            code = 130 if isinstance(error, KeyboardInterrupt) else os.EX_SOFTWARE
        return Ended(ticket=task.ticket, exit_code=code, signal=None, report=b"".join(reported))


@contextlib.contextmanager
def _put_back() -> Iterator[None]:
    """Environment and working directory are as before in the end."""
    environment, cwd = dict(os.environ), os.getcwd()
    try:
        yield
    finally:
        os.chdir(cwd)
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update(environment)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGINT and SIGTERM raise KeyboardInterrupt here; outside the main thread they stay as they are."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {}

    def interrupt(number: int, frame: FrameType | None) -> None:
        if not _is_in_debugger(frame) and callable(before[number]):
            with contextlib.suppress(KeyboardInterrupt):
                before[number](number, frame)
        raise KeyboardInterrupt

    for number in _SIGNALS:
        before[number] = signal.getsignal(number)
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for changed, handler in before.items():
            signal.signal(changed, handler)


def _is_in_debugger(frame: FrameType | None) -> bool:
    """Whether a debugger works in a frame, above the task: then the user speaks to it and not to the task."""
    while frame is not None and frame.f_code is not InlinePool._run.__code__:
        if isinstance(frame.f_locals.get("self"), bdb.Bdb):
            return True
        frame = frame.f_back
    return False
