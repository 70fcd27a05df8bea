"""The last words of a sweep: counts, failures with their causes and logs, where the results are, what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from runyard.base import FAILURES, State
from runyard.orchestrate.jobs import Outcomes
from runyard.orchestrate.opening import OpenSweep
from runyard.record import RunPaths, RunRecord, count_states, label_of, shown

_MOST_FAILURES = 10
_TRACE_LINES = 6


def closing_lines(
    opened: OpenSweep, runs: Sequence[RunRecord], outcomes: Outcomes, notes: Sequence[str], finish_s: float
) -> Iterator[str]:
    """Lines for the user, most important last."""
    failed = [run for run in runs if run.state in FAILURES]
    for run in failed[:_MOST_FAILURES]:
        yield from _failure(run)
    if len(failed) > _MOST_FAILURES:
        yield f"  ... and {len(failed) - _MOST_FAILURES} more: runyard logs {opened.record.sweep_id}"
    for note in notes:
        yield f"note: {note}"
    counts = ", ".join(f"{n} {state}" for state, n in count_states(runs).items())
    reused = sum(run.reused is not None for run in runs)
    yield f"sweep {opened.record.sweep_id}: {counts or 'no jobs'}{f' ({reused} reused)' if reused else ''}"
    yield f"  results: {shown(opened.paths.results_csv)}"
    left = [run for run in runs if run.state is not State.COMPLETED]
    if outcomes.stopped_by_rule:
        yield "  stopped after as many failures as hydra.launcher.max_failures (or fail_fast) allows"
    if left and opened.record.entry is not None:
        yield f"  to finish what is left: runyard resume {reference(opened)}"


def _failure(run: RunRecord) -> Iterator[str]:
    last = run.attempts[-1] if run.attempts else None
    yield f"job {run.job} {run.state}: {label_of(run)}"
    if last is not None and last.error is not None:
        trace = (last.error.traceback or "").rstrip().splitlines()
        if trace:
            yield from (f"    {line}" for line in trace[-_TRACE_LINES:])
        else:
            yield from (f"    {line}" for line in last.error.message.splitlines())
    yield f"    log: {shown(RunPaths(Path(run.run_dir)).output_log)}"


def reference(opened: OpenSweep) -> str:
    """How the sweep is named to the ``runyard`` command: by id where the registry has it, else by its path."""
    return opened.record.sweep_id if opened.root is not None else shown(opened.dir)
