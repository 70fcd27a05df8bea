"""A brief memory: of many who ask the same within a moment, one reads the disk. Knows nothing of what it keeps."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class _Slot:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.made_at = float("-inf")
        self.value: Any = None


class Brief:
    """Answers that hold for ``lasts_s`` seconds; whoever asks for one that is being made waits for it.

    Args:
        lasts_s: how long.
        most: how many are kept; the one not asked for longest goes.
        clock: seconds.
    """

    def __init__(self, lasts_s: float, *, most: int = 256, clock: Callable[[], float] = time.monotonic) -> None:
        self._lasts_s, self._most, self._clock = lasts_s, most, clock
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The answer of that key. What ``make`` raises is not kept."""
        slot = self._slot(key)
        with slot.lock:
            if self._clock() - slot.made_at >= self._lasts_s:
                slot.value = make()
                slot.made_at = self._clock()
            value: T = slot.value
            return value

    def forget(self) -> None:
        """Drops everything: something has changed."""
        with self._lock:
            self._slots.clear()

    def _slot(self, key: Hashable) -> _Slot:
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > self._most:
                self._slots.popitem(last=False)
            return slot
