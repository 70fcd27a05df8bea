from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runyard.execute import Ended, Event, ForkPool, Report, Started, Task

Body = Callable[[Report], Any]


def wait_until(condition: Callable[[], Any], timeout_s: float = 60) -> Any:
    """Waits until the condition holds, and returns what it gave."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return value


def is_gone(pid: int) -> bool:
    """Whether a process is there no more, or is dead and only not waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@dataclass
class Runner:
    """A pool whose tasks are functions of this test: a payload is the name of one."""

    folder: Path
    bodies: dict[str, Body] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    tickets: int = 0

    def __post_init__(self) -> None:
        self.pool = ForkPool(self._work)

    def _work(self, name: str, report: Report) -> int:
        code = self.bodies[name](report)
        return code if isinstance(code, int) else 0

    def begin(self, body: Body, **environment: str) -> int:
        """Starts a task. Bodies must be given before the pool is started, or be named ones."""
        return self.begin_named(body.__name__, **environment)

    def begin_named(self, name: str, payload: Any = None, **environment: str) -> int:
        task = self._task(name if payload is None else payload, environment)
        self.pool.launch(task)
        return task.ticket

    def _task(self, payload: Any, environment: dict[str, str]) -> Task:
        self.tickets += 1
        return Task(ticket=self.tickets, payload=payload, output=self.output(self.tickets), environment=environment)

    def line_up(self, body: Body) -> int:
        """Puts a task into the line."""
        return self.line_up_named(body.__name__)

    def line_up_named(self, payload: Any) -> int:
        task = self._task(payload, {})
        self.pool.line_up(task)
        return task.ticket

    def started(self, ticket: int) -> Started | None:
        return next((e for e in self.events if isinstance(e, Started) and e.ticket == ticket), None)

    def output(self, ticket: int) -> Path:
        return self.folder / f"job{ticket}" / "output.log"

    def wait(self) -> None:
        self.events += self.pool.wait(0.05)

    def pid(self, ticket: int) -> int:
        """The process of a task, as soon as it is known."""

        def find() -> int | None:
            self.wait()
            return next((e.pid for e in self.events if isinstance(e, Started) and e.ticket == ticket), None)

        found: int = wait_until(find)
        return found

    def ended(self, ticket: int) -> Ended | None:
        return next((e for e in self.events if isinstance(e, Ended) and e.ticket == ticket), None)

    def end(self, ticket: int) -> Ended:
        """How a task ended; waits for it."""

        def find() -> Ended | None:
            self.wait()
            return self.ended(ticket)

        found: Ended = wait_until(find)
        return found

    def run(self, body: Body, **environment: str) -> Ended:
        return self.end(self.begin(body, **environment))

    def text(self, ticket: int) -> str:
        return self.output(ticket).read_text(errors="replace")


MakeRunner = Callable[..., Runner]


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[MakeRunner]:
    """Makes a pool that can run the given functions, and closes it in the end."""
    made: list[Runner] = []

    def make(*bodies: Body) -> Runner:
        runner = Runner(tmp_path, {body.__name__: body for body in bodies})
        runner.pool.start()
        made.append(runner)
        return runner

    yield make
    for runner in made:
        runner.pool.close()
    with contextlib.suppress(ChildProcessError):
        assert os.waitpid(-1, os.WNOHANG) == (0, 0), "a process was left without being waited for"
