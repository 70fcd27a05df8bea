"""A process that outlives the one that starts it: own session, no input, its output in a file."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from runyard.base import UsageError, read_tail

#: of the output of a process that failed, the last bytes that are shown.
_SHOWN = 4000


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
    """The end of what it printed."""
    return read_tail(output, _SHOWN)[0].strip()
