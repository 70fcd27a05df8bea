"""Starting an application in a process of its own, which outlives the one that started it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runyard.base import RecordError, RunyardError, UsageError
from runyard.front.detached import last_words, start_detached
from runyard.front.functions import FILE_NAME, HOST, Kept
from runyard.orchestrate import ANNOUNCE_FILE, OUTPUT_NAME
from runyard.record import RunPaths, SweepPaths, read_sweep, replay

#: how often it is looked whether the directory is known, in seconds.
_LOOK_S = 0.05
#: what makes a process believe that it is a job of another sweep, or the one that an earlier start waits for.
_NOT_HANDED_ON = ("RUNYARD_JOB", "RUNYARD_SWEEP_DIR", ANNOUNCE_FILE)


#: what can be started: a module's name, a script's path, a function.
Target = str | Path | Kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A sweep or a single run that goes on by itself: its directory, its process, and the file with its output."""

    dir: Path
    pid: int
    is_sweep: bool
    output: Path


def start_application(
    target: Target,
    overrides: Sequence[str] = (),
    *,
    multirun: bool = True,
    output: Path | None = None,
    python: Sequence[str] = (),
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    timeout_s: float = 120.0,
) -> Started:
    """Starts a sweep or a single run of a Hydra application, and returns when its directory has its record.

    The overrides must turn the record on (``+runyard=local``, ``+runyard=record``, ...): nothing else tells where the
    directory is. The process has a session of its own, so neither Ctrl-C nor the end of this process ends it.

    Args:
        target: the name of a module, as after ``python -m``; the path of a script, which ends in ``.py``; or what
            ``keep_function`` gave.
        overrides: the words of its command line.
        multirun: whether it is a sweep (``-m``).
        output: the file for what it prints; ``start.log`` in its directory by default.
        python: the interpreter and its flags; this one's by default.
        cwd: where it is started; here by default.
        environment: its environment; this process's by default.
        timeout_s: seconds after which a process that has not told its directory is taken for hung, and ended.

    Raises:
        UsageError: it refused what it was asked for; the message is its own.
        RunyardError: it ended, or hung, before it had a directory.
    """
    with tempfile.TemporaryDirectory(prefix="runyard-start-") as scratch:
        argv = [*(python or (sys.executable,)), *_program(target, Path(scratch)), *overrides]
        argv += ["-m"] if multirun else []  # beside the overrides: argparse wants these without a gap
        waiting, said = Path(scratch) / "directory", output or Path(scratch) / OUTPUT_NAME
        inherited = {key: value for key, value in (environment or os.environ).items() if key not in _NOT_HANDED_ON}
        process = start_detached(argv, output=said, environment={**inherited, ANNOUNCE_FILE: str(waiting)}, cwd=cwd)
        folder = _directory(process, waiting, said, timeout_s)
    kept = output or SweepPaths(folder).start_log
    return Started(dir=folder, pid=process.pid, is_sweep=not read_sweep(folder).single, output=kept)


def _program(target: Target, scratch: Path) -> list[str]:
    if isinstance(target, Kept):
        file = scratch / FILE_NAME
        target.write(file)
        return ["-m", HOST, str(file)]
    is_script = isinstance(target, Path) or target.endswith(".py")
    return [str(target)] if is_script else ["-m", str(target)]


def _directory(process: subprocess.Popen[bytes], waiting: Path, output: Path, timeout_s: float) -> Path:
    """Waits until the directory is told."""
    deadline = time.monotonic() + timeout_s
    while True:
        code = process.poll()  # before the look: what ended just now may have told its directory before
        if waiting.exists():
            folder = Path(waiting.read_text(encoding="utf-8").rstrip("\n"))
            if _stays(folder, has_ended=code is not None):
                return folder
        if code is not None:
            raise _ended(code, output)
        if time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise RunyardError(
                f"the application told no directory within {timeout_s:g} s; it printed:\n{last_words(output)}"
            )
        time.sleep(_LOOK_S)


def _stays(folder: Path, *, has_ended: bool) -> bool:
    """Whether a directory is there for good: our launchers take theirs back when no job can be planned.

    That of a single run is when its job has begun: one that is interrupted before leaves nothing.
    """
    paths = SweepPaths(folder)
    try:
        record = read_sweep(folder)
    except RecordError:  # taken back, and the process is about to say why
        return False
    if record.single:
        return has_ended or RunPaths(folder).run_json.is_file()
    ours = record.launcher.startswith("runyard_")
    return has_ended or not ours or bool(replay(paths.journal, ("planned",)).planned)


def _ended(code: int, output: Path) -> RunyardError:
    """What to say of a process that ended before it had a directory that stays."""
    text = last_words(output)
    if code == 0:
        return UsageError(
            "the application ended without a record" + (f":\n{text}" if text else ""),
            todo="turn the record on with +runyard=local or +runyard=record",
        )
    if code in (1, 2):  # Hydra ends with 1 when an override is wrong
        return UsageError(text or f"the application ended with exit code {code} and said nothing")
    return RunyardError(f"the application ended with exit code {code}:\n{text}")
