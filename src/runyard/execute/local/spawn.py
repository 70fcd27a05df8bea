"""Jobs in fresh interpreters: slower by the application's imports, and safe with libraries that forbid to fork.

The template is a small process of its own here, and not a copy of the controller. The job's program finds what it is
told by ``inherited``.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from runyard.execute.local.channel import Channel
from runyard.execute.local.child import (
    TOKEN_VARIABLE,
    Report,
    Take,
    default_signals,
    lead_session,
    limit_memory,
    open_streams,
    redirect,
    write_all,
)
from runyard.execute.local.pool import TemplatePool
from runyard.execute.local.template import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The program that runs each job.

    ``command`` starts it; two numbers are appended, for ``inherited``. ``cwd`` is where it is started, ``common`` what
    every job is told besides its payload, pickled.
    """

    command: tuple[str, ...]
    cwd: str
    common: bytes


class SpawnPool(TemplatePool):
    """Runs tasks, each by a program of its own."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = program

    def _start_template(self, ours: Channel, theirs: Channel) -> int:
        command = call_command(sys.executable, (), "runyard.execute.local.spawn", "serve")
        with _filled(pickle.dumps(self._program)) as told:
            # Not a fork: other threads of this process, and what its libraries hold, stay out of it.
            actions = [(os.POSIX_SPAWN_DUP2, told.fileno(), 0), (os.POSIX_SPAWN_DUP2, theirs.fileno(), _CHANNEL)]
            return os.posix_spawn(command[0], command, os.environ, file_actions=actions)


_CHANNEL = 3


def call_command(python: str, flags: Sequence[str], module: str, function: str) -> tuple[str, ...]:
    """The command that calls a function in a new interpreter, which finds modules where this one does.

    ``-m`` would look into the working directory first, where a file may have the name of any module.
    """
    path = [entry for entry in sys.path if isinstance(entry, str)]
    code = f"import sys; sys.path[:] = {path!r}; from {module} import {function}; {function}()"
    return (python, *flags, "-c", code)


def serve() -> NoReturn:
    """The template process: has none of the application's imports."""
    program: Program = pickle.load(sys.stdin.buffer)
    os.set_inheritable(_CHANNEL, False)
    Template(Channel(socket.socket(fileno=_CHANNEL)), partial(_run_program, program=program)).run()


def _run_program(take: Take, report_to: int, parent: int, token: str, *, program: Program) -> NoReturn:
    """Becomes the job's program, in a freshly forked process. Never returns."""
    try:
        default_signals()
        task = take()
        lead_session(parent)
        redirect(task.output)
        told = _filled(program.common + task.payload)
        limit_memory(task.memory_bytes)
        os.chdir(program.cwd)
        for descriptor in (report_to, told.fileno()):
            os.set_inheritable(descriptor, True)
        numbers = (str(report_to), str(told.fileno()))
        environment = {**os.environ, **task.environment, TOKEN_VARIABLE: token}
        os.execve(program.command[0], (*program.command, *numbers), environment)
    except BaseException:  # the process border: nothing may unwind into the code of the template
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(os.EX_SOFTWARE)


def _filled(data: bytes) -> Any:
    """A file without a name that holds ``data``, to be read from its beginning."""
    has_memory = hasattr(os, "memfd_create")
    file = os.fdopen(os.memfd_create("runyard"), "w+b") if has_memory else tempfile.TemporaryFile()  # noqa: SIM115
    file.write(data)
    file.flush()
    file.seek(0)
    return file


def inherited() -> tuple[Any, Any, Report]:
    """In a program that a ``SpawnPool`` has started: what all jobs are told, its payload, and where to report.

    Opens the streams of the process as those of a forked job are. Call it once, and first.
    """
    open_streams()
    told, report_to = int(sys.argv.pop()), int(sys.argv.pop())
    os.set_inheritable(report_to, False)
    with contextlib.closing(os.fdopen(told, "rb")) as file:
        common = pickle.load(file)
        payload = pickle.load(file)
    return common, payload, partial(write_all, report_to)
