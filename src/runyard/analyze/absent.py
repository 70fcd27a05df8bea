"""What has no result, and why: jobs that did not complete, and seeds that were never planned. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from runyard.analyze.cells import Cell, Columns
from runyard.analyze.jobtable import JobTable, leading_columns
from runyard.analyze.mixture import MixedRun
from runyard.base import State
from runyard.record import Attempt, RunRecord

_WIDTH = 200
_SAID = {
    State.COMPLETED: "it reported no metric",
    State.RUNNING: "it runs, or its process is gone",
    State.PENDING: "it has not run",
}


def absent(table: JobTable, runs: Sequence[RunRecord], looked_at: Sequence[MixedRun]) -> Columns:
    """A row for each job without a result.

    Columns: those of the table before its metrics, without the state; then ``state``, ``why``, ``attempts`` and
    ``run_dir``. A COMPLETED job that reported no metric at all, where others did, is one of them.
    """
    expects = any(run.metrics for run in runs)
    rows = [n for n, run in enumerate(runs) if run.state is not State.COMPLETED or (expects and not run.metrics)]
    first = [name for name in leading_columns(table) if name != "state"]
    columns: Columns = {name: [table.columns[name][n] for n in rows] for name in first}
    columns["state"] = [table.columns["state"][n] for n in rows]
    columns["why"] = [_why(runs[n], looked_at[n]) for n in rows]
    for name in ("attempts", "run_dir"):
        columns[name] = [table.columns[name][n] for n in rows]
    return columns


def _why(run: RunRecord, looked_at: MixedRun) -> Cell:
    if looked_at.is_damaged:
        return "its run.json cannot be read"
    if run.state in _SAID and not (run.state is State.PENDING and run.attempts):
        return _SAID[run.state]
    return _ending(run.attempts[-1]) if run.attempts else "it ended before it ran"


def _ending(last: Attempt) -> str:
    if last.error is not None:
        line = (last.error.message.strip().splitlines() or [""])[0]
        return f"{last.error.type}: {line}"[:_WIDTH].rstrip(": ")
    if last.signal:
        return f"signal {last.signal}"
    return f"exit code {last.exit_code}" if last.exit_code is not None else f"its last attempt ended {last.state}"
