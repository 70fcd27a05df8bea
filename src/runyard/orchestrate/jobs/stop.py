"""What tells a sweep to stop: signals, which are counted and not raised, so that nothing is left half done."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from runyard.base import State

if TYPE_CHECKING:
    from typing_extensions import Self


class StopSignal:
    """Counts SIGINT and SIGTERM while it is entered; outside the main thread signals stay as they are.

    ``cause`` is what becomes of jobs that run. ``warning_s`` is for how long they may go on after the first signal,
    in seconds, when they have been told by SIGUSR2; 0 where they are not told. ``jobs`` are jobs that are to end
    while the others go on. ``lag_s`` is for how long the signal may come later than one to a job, in seconds, where
    both get it from outside.
    """

    jobs: frozenset[int] = frozenset()
    lag_s = 0.0

    @property
    def cause(self) -> State:  # noqa: D102
        return State.CANCELLED

    @property
    def warning_s(self) -> float:  # noqa: D102
        return 0.0

    def __init__(self) -> None:
        self.count = 0
        self._before: dict[int, Any] = {}

    def _signals(self) -> tuple[int, ...]:
        return signal.SIGINT, signal.SIGTERM

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.count += 1

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in self._signals():
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
