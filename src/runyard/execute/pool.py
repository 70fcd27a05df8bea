"""What every pool of processes does for its controller."""

from __future__ import annotations

from typing import Protocol

from runyard.execute.task import Event, Task


class Pool(Protocol):
    """Runs tasks. The controller owns it and calls it from one thread; whatever happens to a task is an event."""

    def start(self) -> None:
        """Before the first task, and before the controller has threads of its own."""

    def launch(self, task: Task) -> None:
        """Takes a task on. Its ticket must not be in use."""

    def line_up(self, task: Task) -> None:
        """Takes a task on that may start in the place of the next one that ends with code 0, in order."""

    def start_now(self, ticket: int) -> None:
        """Starts a task of the line; without effect when it has started already."""

    def call_back(self) -> None:
        """Forgets the tasks in line, for good. Those that have started by then are told of as ever."""

    def signal(self, ticket: int, number: int) -> None:
        """Sends a signal to a task, and to everything it started; without effect when it has ended."""

    def wait(self, timeout_s: float) -> list[Event]:
        """What has happened: of each task that it started, and then that it ended. Waits up to ``timeout_s``."""

    def close(self) -> None:
        """Ends whatever still runs. May be called twice, or without ``start``."""
