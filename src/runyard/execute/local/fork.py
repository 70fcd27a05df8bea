"""Jobs forked from a process that has the application's imports: cheap, and each as fresh as the application was."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Callable
from functools import partial

from runyard.execute.local.channel import Channel
from runyard.execute.local.child import Work, forget_controller, run_child
from runyard.execute.local.pool import TemplatePool
from runyard.execute.local.template import Template


class ForkPool(TemplatePool):
    """Runs tasks, each in a process of its own forked from a template of this one.

    ``work(payload, report)`` runs in the job's process and returns its exit code. It may refer to anything that
    this process has: nothing of it is pickled. Payloads are.
    """

    def __init__(self, work: Work, ready: Callable[[], None] | None = None) -> None:
        """``ready`` is called in each new template before it forks jobs: what it does, every job finds done."""
        super().__init__()
        self._work, self._ready = work, ready

    def _start_template(self, ours: Channel, theirs: Channel) -> int:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of threads; so do we, in words
            pid = os.fork()
        if pid == 0:
            ours.close()
            Template(theirs, partial(run_child, work=self._work), self._make_ready, spares=True).run()
        return pid

    def _make_ready(self) -> None:
        forget_controller()
        if self._ready is not None:
            self._ready()
