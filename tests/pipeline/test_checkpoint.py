from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runyard import UsageError, checkpoint
from runyard.testing import active_run


@pytest.fixture(autouse=True)
def _signal_as_before() -> Iterator[None]:
    before = signal.signal(signal.SIGUSR2, signal.SIG_DFL)  # whatever a run before in this process has left
    yield
    signal.signal(signal.SIGUSR2, before)


def _send() -> None:
    os.kill(os.getpid(), signal.SIGUSR2)  # to itself: it has come when kill returns


def test_functions_are_called_in_order_and_the_task_goes_on(tmp_path: Path) -> None:
    called = []
    with active_run(tmp_path):
        checkpoint.on_signal(lambda: called.append("first"))
        checkpoint.on_signal(lambda: called.append("second"))
        _send()
        assert called == ["first", "second"]
        _send()
        assert called == ["first", "second"] * 2


def test_it_is_a_decorator(tmp_path: Path) -> None:
    called = []
    with active_run(tmp_path):

        @checkpoint.on_signal
        def save() -> None:
            called.append("saved")

        _send()
        save()
    assert called == ["saved", "saved"]


def test_a_loop_can_ask(tmp_path: Path) -> None:
    with active_run(tmp_path):
        assert not checkpoint.requested()
        _send()
        assert checkpoint.requested()
        assert checkpoint.requested()


def test_requeue_comes_out_where_the_task_stands(tmp_path: Path) -> None:
    def save() -> None:
        raise checkpoint.Requeue("saved")

    with active_run(tmp_path):
        checkpoint.on_signal(save)
        with pytest.raises(checkpoint.Requeue, match="saved"):
            _send()


def test_one_that_fails_does_not_keep_the_others_from_saving(tmp_path: Path) -> None:
    called = []

    def fail() -> None:
        raise OSError("no space")

    with active_run(tmp_path):
        checkpoint.on_signal(fail)
        checkpoint.on_signal(lambda: called.append("saved"))
        with pytest.raises(OSError, match="no space"):
            _send()
    assert called == ["saved"]


def test_a_signal_that_comes_while_functions_run_does_not_call_them_again(tmp_path: Path) -> None:
    called = []

    def save() -> None:
        called.append("begun")
        _send()
        called.append("ended")

    with active_run(tmp_path):
        checkpoint.on_signal(save)
        _send()
    assert called == ["begun", "ended"]


def test_another_run_in_the_same_process_has_its_own(tmp_path: Path) -> None:
    called = []
    with active_run(tmp_path / "1"):
        checkpoint.on_signal(lambda: called.append("first run"))
        _send()
    with active_run(tmp_path / "2"):
        assert not checkpoint.requested()
        _send()
        assert checkpoint.requested()
    assert called == ["first run"]


def test_what_was_asked_of_a_run_ends_with_it(tmp_path: Path) -> None:
    called = []
    with active_run(tmp_path):
        checkpoint.on_signal(lambda: called.append("saved"))
        _send()
    assert not checkpoint.requested()
    _send()
    assert called == ["saved"]


def test_a_function_from_before_the_run_is_called_in_it(start) -> None:
    process = start("""
        from runyard import checkpoint
        checkpoint.on_signal(lambda: print("saved", flush=True))
        with active_run(folder):
            checkpoint.requested()
            os.kill(os.getpid(), signal.SIGUSR2)
    """)
    assert process.communicate()[0] == "saved\n"


def test_a_handler_that_was_there_before_is_called_last(tmp_path: Path) -> None:
    called = []

    def save() -> None:
        called.append("saved")
        raise checkpoint.Requeue

    signal.signal(signal.SIGUSR2, lambda number, frame: called.append("theirs"))
    with active_run(tmp_path):
        checkpoint.on_signal(save)
        with pytest.raises(checkpoint.Requeue):
            _send()
    assert called == ["saved", "theirs"]


def test_in_another_thread_it_is_wrong_usage_and_asking_is_not(tmp_path: Path) -> None:
    told: list[object] = []

    def attempt(function: object) -> None:
        try:
            told.append(function())  # type: ignore[operator]
        except UsageError as error:
            told.append(error.what)

    def in_thread(function: object) -> object:
        thread = threading.Thread(target=attempt, args=(function,))
        thread.start()
        thread.join()
        return told.pop()

    with active_run(tmp_path):
        wrong = "the checkpoint signal can only be watched for in the main thread"
        assert in_thread(checkpoint.requested) == wrong
        checkpoint.requested()
        assert in_thread(checkpoint.requested) is False
        assert in_thread(lambda: checkpoint.on_signal(print)) == wrong
        _send()
        assert in_thread(checkpoint.requested) is True


def test_what_came_to_a_run_before_is_not_told_to_a_thread_of_the_next(tmp_path: Path) -> None:
    told: list[bool] = []
    thread = threading.Thread(target=lambda: told.append(checkpoint.requested()))
    with active_run(tmp_path / "one"):
        checkpoint.requested()
        _send()
        assert checkpoint.requested()
    with active_run(tmp_path / "two"):
        thread.start()
        thread.join()
    assert told == [False]


def test_a_forked_process_does_not_save_what_is_not_its_own(start, tmp_path: Path) -> None:
    process = start("""
        from runyard import checkpoint
        with active_run(folder):
            checkpoint.on_signal(lambda: print("saved by", os.getpid() == parent, flush=True))
            parent = os.getpid()
            child = os.fork()
            if child == 0:
                os.kill(os.getpid(), signal.SIGUSR2)
                os._exit(7)
            _, status = os.waitpid(child, 0)
            print("child", os.waitstatus_to_exitcode(status), flush=True)
            os.kill(os.getpid(), signal.SIGUSR2)
    """)
    assert process.communicate()[0] == "child 7\nsaved by True\n"


def test_it_works_without_a_run(start) -> None:
    process = start("""
        from runyard import checkpoint
        checkpoint.on_signal(lambda: print("saved", flush=True))
        os.kill(os.getpid(), signal.SIGUSR2)
        print(checkpoint.requested())
    """)
    assert process.communicate()[0] == "saved\nTrue\n"
