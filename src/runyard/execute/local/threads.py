"""How many threads numerical libraries may start in this process, also those that are loaded already.

A library reads its variable (``OMP_NUM_THREADS``) once, when it is loaded; in a forked process that was long ago.
"""

from __future__ import annotations

import sys

from threadpoolctl import threadpool_limits

_told: list[int] = []  # the last that libraries were told, here or in the process that this one was forked from


def limit_threads(count: int) -> None:
    """Tells every thread pool of native code, and torch, to use at most ``count`` threads.

    Looking for them takes milliseconds. A forked process has what its parent had been told, and is told no second time.
    """
    if _told == [count]:
        return
    threadpool_limits(count)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(count)
    _told[:] = [count]
