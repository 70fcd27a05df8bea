"""How many threads numerical libraries may start in this process, also those that are loaded already.

A library reads its variable (``OMP_NUM_THREADS``) once, when it is loaded; in a forked process that was long ago.
"""

from __future__ import annotations

import sys

from threadpoolctl import threadpool_limits


def limit_threads(count: int) -> None:
    """Tells every thread pool of native code, and torch, to use at most ``count`` threads."""
    threadpool_limits(count)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(count)
