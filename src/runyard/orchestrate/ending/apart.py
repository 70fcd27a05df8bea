"""The end of a sweep in a process of its own: it needs memory for every job, and libraries that may fail."""

from __future__ import annotations

import os
import sys
import time
import traceback
import warnings

from runyard.base import State, SweepState
from runyard.orchestrate.ending.closing import closing_lines
from runyard.orchestrate.ending.finish import finish
from runyard.orchestrate.jobs import Outcomes
from runyard.orchestrate.opening import OpenSweep
from runyard.record import read_sweep

_ALL_COMPLETED, _NOT_ALL, _FAILED = 0, 1, 3


def end_apart(opened: OpenSweep, outcomes: Outcomes) -> bool:
    """Makes a sweep's files, says how it ended, and returns whether every job completed.

    Where the process that does it dies, this one makes the record, without the files, and says so.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of threads: none of ours is left
        child = os.fork()
    if child == 0:
        _in_child(opened, outcomes)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code not in (_ALL_COMPLETED, _NOT_ALL):
        sys.stderr.write(
            f"runyard: the process that makes tables and figures ended with {code}; the record is kept, and "
            f"'runyard collect {opened.record.sweep_id}' makes them\n"
        )
        runs = finish(opened, interrupted=outcomes.interrupted, files=False)
        return all(run.state is State.COMPLETED for run in runs)
    opened.record = read_sweep(opened.dir)
    return code == _ALL_COMPLETED and opened.record.state is SweepState.COMPLETED


def _in_child(opened: OpenSweep, outcomes: Outcomes) -> None:
    code = _FAILED
    try:
        code = _end(opened, outcomes)
        sys.stderr.flush()
        sys.stdout.flush()
    except BaseException:  # the process border
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _end(opened: OpenSweep, outcomes: Outcomes) -> int:
    started = time.monotonic()
    notes: list[str] = []
    runs = finish(opened, interrupted=outcomes.interrupted, say=notes.append)
    for line in closing_lines(opened, runs, outcomes, notes, time.monotonic() - started):
        sys.stderr.write(line + "\n")
    return _ALL_COMPLETED if all(run.state is State.COMPLETED for run in runs) else _NOT_ALL
