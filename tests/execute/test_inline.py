from __future__ import annotations

import os
import pdb
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runyard.execute import Ended, InlinePool, Report, Started, Task

SENT = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """Signals that come to the handlers which are there before a task runs."""
    found: list[int] = []
    before = {number: signal.signal(number, lambda number, _: found.append(number)) for number in SENT}
    yield found
    for number, handler in before.items():
        assert signal.getsignal(number) is not handler
        signal.signal(number, handler)


def run(body: Callable[[Report], Any], folder: Path) -> Ended:
    pool = InlinePool(lambda payload, report: body(report) or 0)
    pool.start()
    pool.launch(Task(ticket=1, payload=None, output=folder / "output.log"))
    (started,) = pool.wait(0)
    assert started == Started(ticket=1, pid=os.getpid())
    (ended,) = pool.wait(0)
    assert isinstance(ended, Ended)
    return ended


@pytest.mark.parametrize("number", SENT)
def test_a_signal_interrupts_the_task_and_reaches_the_controller(
    heard: list[int], number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def body(report: Report) -> None:
        report(b"begun")
        os.kill(os.getpid(), number)
        time.sleep(60)

    ended = run(body, tmp_path)
    assert (ended.exit_code, ended.report, heard) == (130, b"begun", [number])
    os.kill(os.getpid(), number)
    assert heard == [number, number]  # and the controller's handlers are back
    assert "KeyboardInterrupt" in capsys.readouterr().err


def test_a_task_may_catch_its_interruption_and_the_controller_knows(heard: list[int], tmp_path: Path) -> None:
    def body(report: Report) -> int:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)
        except KeyboardInterrupt:
            return 5
        return 0

    assert run(body, tmp_path).exit_code == 5
    assert heard == [signal.SIGINT]


class Keyboard:
    """At each prompt of a debugger, a user who first presses Ctrl-C."""

    def __init__(self, *lines: str) -> None:
        self.lines, self.presses = list(lines), 1

    def readline(self) -> str:
        if self.presses:
            self.presses -= 1
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)
        return self.lines.pop(0) + "\n"


class Screen:
    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


def test_ctrl_c_at_the_prompt_of_a_debugger_is_the_debuggers(heard: list[int], tmp_path: Path) -> None:
    screen: Any = Screen()
    keyboard: Any = Keyboard("p 'still here'", "continue")

    def body(report: Report) -> int:
        debugger = pdb.Pdb(stdin=keyboard, stdout=screen, nosigint=True)
        debugger.use_rawinput = False
        debugger.set_trace()
        return 3

    assert run(body, tmp_path).exit_code == 3
    assert heard == []
    assert "still here" in screen.text


def test_outside_of_the_main_thread_signals_stay_as_they_are(heard: list[int], tmp_path: Path) -> None:
    codes: list[int | None] = []
    thread = threading.Thread(target=lambda: codes.append(run(lambda report: None, tmp_path).exit_code))
    thread.start()
    thread.join()
    assert codes == [0]


def test_the_log_says_where_the_output_went(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(lambda report: print("to the terminal"), tmp_path)
    assert "its output went to the terminal" in (tmp_path / "output.log").read_text()
    assert capsys.readouterr().out == "to the terminal\n"


def test_a_task_that_is_stopped_before_it_begins_does_not_run(tmp_path: Path) -> None:
    ran: list[str] = []
    pool = InlinePool(lambda payload, report: ran.append(payload) or 0)
    for ticket, name in enumerate("ab"):
        pool.launch(Task(ticket=ticket, payload=name, output=tmp_path / "output.log"))
    pool.signal(1, signal.SIGTERM)
    events = [event for _ in range(3) for event in pool.wait(0)]
    assert Ended(ticket=1, exit_code=None, signal=signal.SIGTERM) in events
    assert ran == ["a"]
