"""A job's process from its fork to its end: what is set before the worker's function, and what after."""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import importlib
import io
import logging
import os
import pickle
import resource
import sys
import threading
import traceback
import weakref
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NoReturn

from runyard.base import die_with_parent
from runyard.execute.local.guard import peak_mb
from runyard.execute.local.threads import limit_threads
from runyard.execute.task import Task

#: names the attempt in the environment of everything that the job starts, so that leftovers are found.
TOKEN_VARIABLE = "RUNYARD_TOKEN"

#: what a job's process says to its template when it ends well and there is nothing left to do for it.
LAST_WORD = b"\0runyard: ended well\0"
#: the system takes its time to take back the memory of a process larger than this, in MB.
_SMALL_MB = 1024

#: gives the task that a process was forked for; waits until its turn has come.
Take = Callable[[], Task]
Report = Callable[[bytes], None]
Work = Callable[[Any, Report], int]


def run_child(take: Take, report_to: int, parent: int, token: str, *, work: Work) -> NoReturn:
    """Runs ``work(payload, report)`` in this freshly forked process and ends it with the code it returns.

    The payload is that of the task that ``take`` gives, unpickled. What needs no task is done before it is there. The
    process leads a session and a group of its own, dies with its parent, has its output in ``task.output`` down to the
    descriptors, and handles signals as a new process would. Never returns. The parent has called
    ``forget_controller``.
    """
    code = 70  # EX_SOFTWARE: our own code failed before or after the work
    try:
        default_signals()
        _own_state()
        task = take()
        lead_session(parent)
        redirect(task.output)
        limit_memory(task.memory_bytes)
        os.environ.update(task.environment)
        os.environ[TOKEN_VARIABLE] = token
        if task.threads is not None:
            limit_threads(task.threads)
        code = work(payload_of(task), partial(write_all, report_to))
    except BaseException:  # the process border: nothing may unwind into the code of the parent
        traceback.print_exc()
    end_process(code, partial(_say_last_word, report_to))


@lru_cache(maxsize=1)
def _unpickled(data: bytes) -> Any:
    return pickle.loads(data)


def payload_of(task: Task) -> Any:
    """The payload of a task, unpickled; the same object when it is asked for again."""
    return _unpickled(task.payload)


def _say_last_word(report_to: int) -> None:
    if peak_mb(resource.getrusage(resource.RUSAGE_SELF)) < _SMALL_MB:
        with contextlib.suppress(OSError):  # the job may have closed it
            write_all(report_to, LAST_WORD)


_signal: Any = importlib.import_module("_signal")  # of C: the functions of ``signal`` make an enum of everything


def lead_session(parent: int) -> None:
    """Makes this process the leader of a session and a group of its own, which ends when ``parent`` does."""
    os.setsid()
    die_with_parent(parent)


def default_signals() -> None:
    """Signals mean what they mean to a new process; SIGUSR2, the warning before the end, does not end it by itself."""
    _signal.set_wakeup_fd(-1)
    for number in (_signal.SIGTERM, _signal.SIGCHLD, _signal.SIGHUP):
        _signal.signal(number, _signal.SIG_DFL)
    _signal.signal(_signal.SIGUSR2, _signal.SIG_IGN)
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())


def redirect(output: Path) -> None:
    """Makes the standard descriptors read nothing and write to the end of the file ``output``."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    path = os.fspath(output)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    try:
        descriptor = os.open(path, flags, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(path, flags, 0o666)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def open_streams() -> None:
    """Gives this process streams of its own: inherited ones may be a test's or a notebook's.

    They write by the line, so that a crash loses none.
    """
    sys.stdin = sys.__stdin__ = open(0, closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stdout = sys.__stdout__ = _stream(1)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _stream(2)  # type: ignore[misc]
    faulthandler.enable(file=2)


def limit_memory(size: int | None) -> None:
    """Makes requests for more memory fail. On Linux what counts is the private memory that can be written to."""
    if size is None:
        return
    kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    resource.setrlimit(kind, (size, size))


def _stream(descriptor: int) -> io.TextIOWrapper:
    raw = io.BufferedWriter(io.FileIO(descriptor, "w", closefd=False))
    return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", line_buffering=True)


def forget_controller() -> None:
    """In the template: drops what a fork copies and a new process would not have, and opens the streams of all jobs.

    What is done here is done once. A job has only to point the descriptors elsewhere.
    """
    atexit._clear()  # the exit functions are the controller's to run
    finalizers: Any = weakref.finalize  # such as those of temporary directories, which are the controller's to remove
    finalizers._registry.clear()
    finalizers._registered_with_atexit = False
    open_streams()


def _own_state() -> None:
    """What must differ between jobs, though one process was forked for all of them."""
    _fresh_multiprocessing()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None and _is_unseeded(numpy_random):
        numpy_random.seed()  # else every job would draw the same "random" numbers
    torch = sys.modules.get("torch")
    if torch is not None and torch.initial_seed() >= 2**32:  # nobody has seeded it: torch's own seeds are that long
        torch.seed()


def _fresh_multiprocessing() -> None:
    """As ``multiprocessing`` itself does in a process that it forks."""
    process: Any = sys.modules.get("multiprocessing.process")
    util: Any = sys.modules.get("multiprocessing.util")
    if process is not None and util is not None:
        process._children = set()
        util._finalizer_registry.clear()
        util._run_after_forkers()
        atexit.register(util._exit_function)  # joins or ends the job's own children


def _is_unseeded(numpy_random: Any) -> bool:
    """Whether nobody has called ``numpy.random.seed``: then the generator still has its seed sequence."""
    generator = getattr(numpy_random.get_state, "__self__", None)
    bits = getattr(generator, "_bit_generator", None)
    return getattr(bits, "seed_seq", getattr(bits, "_seed_seq", None)) is not None


def write_all(descriptor: int, data: bytes) -> None:
    """Writes all of it, however often that takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def end_process(code: int, at_last: Callable[[], None] | None = None) -> NoReturn:
    """Ends as an interpreter does: waits for threads, runs exit functions, flushes.

    ``at_last`` is called after all that, when the code is 0.
    """
    try:
        shutdown: Any = threading
        shutdown._shutdown()  # a plain join would wait for the idle threads of an executor for ever
        atexit._run_exitfuncs()
        logging.shutdown()
    except BaseException:  # the job's own exit functions may do anything
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    if code == 0 and at_last is not None:
        at_last()
    os._exit(code)
