"""Taking a sweep up again in a process of its own."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from runyard.base import RunyardError, UsageError
from runyard.cluster import changes_of, is_on_cluster, resubmit
from runyard.front.detached import last_words, start_detached
from runyard.orchestrate import Selection, resume_command, status
from runyard.record import SweepPaths
from runyard.registry import DEFAULT_ROOTS, root_of

#: how often it is looked whether the process is at work, in seconds.
_LOOK_S = 0.05


def start_resume(sweep_dir: Path, *, select: Selection | None = None, overrides: Sequence[str] = ()) -> int | None:
    """Runs what is left of a sweep, or what ``select`` takes; returns when its process is at work, with its id.

    A sweep on Slurm is queued again: None. The output goes to ``resume.log`` in the sweep's directory.

    Raises:
        SweepBusy: it is at work already.
        UsageError: it cannot be taken up again.
        RunyardError: the process ended before it was at work.
    """
    chosen = select or Selection()
    if is_on_cluster(sweep_dir):
        resubmit(sweep_dir, root_of(sweep_dir, DEFAULT_ROOTS), chosen, changes_of(overrides))
        return None
    argv, environment, cwd = resume_command(sweep_dir, select=chosen, overrides=overrides)
    output = SweepPaths(sweep_dir).resume_log
    output.unlink(missing_ok=True)  # what an earlier one has said
    process = start_detached(argv, output=output, environment=environment, cwd=cwd)
    _await_work(process, sweep_dir, output)
    return process.pid


def _await_work(process: subprocess.Popen[bytes], sweep_dir: Path, output: Path) -> None:
    while (code := process.poll()) is None:
        holder = status(sweep_dir).controller
        if holder is not None and int(holder["pid"]) == process.pid:
            return
        time.sleep(_LOOK_S)
    if code not in (0, 1):  # 1: it has run, and jobs failed
        text = last_words(output)
        raise (UsageError(text) if code == 2 else RunyardError(f"it ended with exit code {code}:\n{text}"))
