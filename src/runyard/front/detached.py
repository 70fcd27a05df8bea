"""A process that outlives the one that starts it: own session, no input, its output in a file."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from runyard.base import UsageError, read_tail

#: of the output of a process that failed: bytes that are looked at, and lines and characters that are shown.
_READ, _LINES, _SHOWN = 20_000, 20, 1200
_FRAME = re.compile(r'  File "(.*)", line \d+')
#: packages of which a frame of a traceback tells the user nothing.
_NOT_THE_APPLICATIONS = ("runyard", "hydra", "omegaconf")


def start_detached(
    argv: Sequence[str], *, output: Path, environment: Mapping[str, str], cwd: str | Path | None
) -> subprocess.Popen[bytes]:
    """Starts it. Neither Ctrl-C nor the end of this process ends it.

    Args:
        argv: the program and its words.
        output: what it prints is added to this file.
        environment: its whole environment.
        cwd: where it is started; None for here.

    Raises:
        UsageError: there is no such program or folder.
    """
    try:
        with output.open("ab") as stream:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=dict(environment),
                start_new_session=True,
            )
    except OSError as exc:
        raise UsageError(f"{argv[0]} cannot be started ({exc.strerror})", where=str(exc.filename or argv[0])) from exc
    threading.Thread(target=process.wait, daemon=True).start()  # so that it is no zombie when it has ended
    return process


def last_words(output: Path) -> str:
    """The end of what it printed, without frames of tracebacks that are not the application's."""
    return shortened(read_tail(output, _READ)[0])


def shortened(text: str) -> str:
    """The last lines of an output.

    >>> print(shortened('  File "<frozen runpy>", line 9, in f\\n    g()\\nValueError: no'))
    ValueError: no
    """
    kept, is_ours = [], False
    for line in text.strip().splitlines():
        frame = _FRAME.match(line)
        if frame:
            is_ours = frame[1].startswith(_hidden())
        elif not line.startswith("    "):
            is_ours = False
        if not is_ours:
            kept.append(line)
    short = "\n".join(kept[-_LINES:])
    return short if len(short) <= _SHOWN else f"... {short[-_SHOWN:]}"


@functools.cache
def _hidden() -> tuple[str, ...]:
    specs = (importlib.util.find_spec(name) for name in _NOT_THE_APPLICATIONS)
    places = [os.path.dirname(spec.origin) + os.sep for spec in specs if spec is not None and spec.origin is not None]
    return ("<frozen ", *places)
