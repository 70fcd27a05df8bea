"""What ends a worker before its jobs have: the allocation's end, a preemption, or a user who cancels."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from types import FrameType

from runyard.base import State
from runyard.cluster.signs import is_stopped
from runyard.orchestrate import StopSignal

#: signals that come together are one: Slurm sends several, and by more than one way.
_TOGETHER_S = 2.0
#: what is left of the time between the warning and the end for ending jobs and writing it down, in seconds.
_RESERVE_S = 5.0


class Reclaim(StopSignal):
    """SIGUSR2 is Slurm's warning, SIGTERM the end itself. Slurm sends both to every process, one after another."""

    lag_s = 1.0

    def __init__(self, sweep_dir: Path, *, signal_delay_s: float, grace_s: float) -> None:
        """``signal_delay_s`` is how long before the end the warning comes, ``grace_s`` what jobs get after SIGTERM."""
        super().__init__()
        self._dir = sweep_dir
        self._spare_s = max(0.0, signal_delay_s - grace_s - _RESERVE_S)
        self._first_at: float | None = None
        self._is_warning = False

    def _signals(self) -> tuple[int, ...]:
        return signal.SIGUSR2, signal.SIGTERM, signal.SIGINT

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._first_at is None:
            self._first_at, self._is_warning, self.count = now, number == signal.SIGUSR2, 1
        elif now - self._first_at > _TOGETHER_S and number != signal.SIGUSR2:
            self.count += 1

    @property
    def cause(self) -> State:
        """CANCELLED where a user has cancelled the sweep."""
        return State.CANCELLED if is_stopped(self._dir, "cancelled") else State.PREEMPTED

    @property
    def warning_s(self) -> float:  # noqa: D102
        return self._spare_s if self._is_warning and self.cause is State.PREEMPTED else 0.0
