"""Jobs forked from a process that has the application's imports: cheap, and each as fresh as the application was."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

from runyard.execute.local.channel import Channel
from runyard.execute.local.child import Work, forget_controller, payload_of, run_child
from runyard.execute.local.pool import TemplatePool
from runyard.execute.local.template import Template
from runyard.execute.local.threads import limit_threads
from runyard.execute.task import Task


class ForkPool(TemplatePool):
    """Runs tasks, each in a process of its own forked from a template of this one.

    ``work(payload, report)`` runs in the job's process and returns its exit code. It may refer to anything that
    this process has: nothing of it is pickled. Payloads are.
    """

    def __init__(
        self, work: Work, ready: Callable[[], None] | None = None, ahead: Callable[[Any], None] | None = None
    ) -> None:
        """``ready`` is called in each new template before it forks jobs: what it does, every job finds done.

        ``ahead`` is called with the payload in processes that have it before their turn: it may do what nobody else
        can see. Where it raises, ``work`` must, too.
        """
        super().__init__()
        self._work, self._ready, self._ahead = work, ready, ahead

    def _start_template(self, ours: Channel, theirs: Channel) -> int:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of threads; so do we, in words
            pid = os.fork()
        if pid == 0:
            ours.close()
            become = partial(run_child, work=self._work)
            Template(theirs, become, self._make_ready, share=_limit_threads, get_ready=self._get_ready).run()
        return pid

    def _make_ready(self) -> None:
        forget_controller()
        if self._ready is not None:
            self._ready()

    def _get_ready(self, task: Task) -> None:
        payload = payload_of(task)
        if self._ahead is not None:
            self._ahead(payload)


def _limit_threads(task: Task) -> None:
    """Tells the libraries once, here, how many threads they may start, and not in each job."""
    if task.threads is not None:
        limit_threads(task.threads)
