"""The checkpoint signal: the machine tells a task that it is about to be taken away, and the task saves what it has.

The signal is SIGUSR2. Under Runyard's launchers it goes to the job's process alone, and means nothing to a task that
does not watch for it. Elsewhere it ends a process that does not.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, TypeVar

from runyard.base import UsageError
from runyard.record import ActiveRun, current_or_none

_SIGNAL = signal.SIGUSR2
F = TypeVar("F", bound=Callable[[], object])


class Requeue(Exception):
    """Raised by a task that has saved its state: the attempt ends as PREEMPTED, and the next one goes on from there.

    The next attempt has the same directory. It comes when the launcher's rules allow one.
    """


def on_signal(function: F) -> F:
    """Has ``function`` called when the signal comes; it can be used as a decorator.

    It is called in the main thread, between two steps of whatever runs there. Several functions are called in the order
    in which they came, each of them once a signal, also when an earlier one fails; then a handler that was there before
    is called, such as submitit's. After that the task goes on, unless a function has raised: the first exception comes
    out where the task stood. Raise ``Requeue`` to end the attempt. Functions of a job are forgotten with its end;
    a process that is forked from this one does not call them.

    Args:
        function: called without arguments. A signal that comes while functions run does not call them again.

    Returns:
        The function.

    Raises:
        UsageError: it is called in another thread than the main one, where Python handles signals.
    """
    _check_thread()
    _watch().functions.append(function)
    return function


def requested() -> bool:
    """Whether the signal has come to the run at work: for loops that would rather look than be called.

    Watching begins with the first call of it or of ``on_signal``. From then on it may be called in any thread.

    Raises:
        UsageError: nothing watches yet, and it is called in another thread than the main one.
    """
    if not _is_watching():
        _check_thread()
    if _is_main_thread():
        _watch()
    return _watched.requested and not (_watched.run is not None and _watched.run.is_over)


@dataclass(slots=True)
class _Watched:
    """What is to be done at a signal, and whether it has come: of one run, in one process."""

    run: ActiveRun | None = None
    pid: int = field(default_factory=os.getpid)
    functions: list[Callable[[], object]] = field(default_factory=list)
    requested: bool = False
    busy: bool = False


_watched = _Watched()
_before: Any = None  # the handler that ours has taken the place of


def _watch() -> _Watched:
    """Handles the signal from now on, for the run at work. In the main thread."""
    global _before  # noqa: PLW0603 - a process has one handler
    if not _is_watching():
        _before = signal.signal(_SIGNAL, _handle)
    return _of_this_run()


def _check_thread() -> None:
    if not _is_main_thread():
        raise UsageError(
            "the checkpoint signal can only be watched for in the main thread",
            where="runyard.checkpoint",
            todo="call on_signal, or requested for the first time, in the main thread; other threads may ask requested",
        )


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _is_watching() -> bool:
    return signal.getsignal(_SIGNAL) is _handle


def _of_this_run() -> _Watched:
    """What is watched; anew when the run is over, or the process was forked. A run takes over what was before it."""
    global _watched  # noqa: PLW0603
    run = current_or_none()
    if _watched.pid != os.getpid() or (_watched.run is not None and run is not _watched.run):
        _watched = _Watched()
    _watched.run = run
    return _watched


def _handle(number: int, frame: FrameType | None) -> None:
    if _watched.pid != os.getpid():  # such as a worker that loads data: the state is not its to save
        return
    watched = _of_this_run()
    watched.requested = True
    if watched.busy:
        return
    watched.busy = True
    try:
        _call_all(watched.functions)
    finally:
        watched.busy = False
        if callable(_before):
            _before(number, frame)


def _call_all(functions: list[Callable[[], object]]) -> None:
    errors = []
    for function in list(functions):
        try:
            function()
        except Exception as error:  # one that fails must not keep the others from saving
            errors.append(error)
    if errors:
        raise errors[0]
