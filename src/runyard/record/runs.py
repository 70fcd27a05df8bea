"""All runs of a sweep, from the plan, the run records and the journal together. Reads only."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from runyard.base import STATES, TERMINAL, RecordError, State
from runyard.record.journal import Ledger, replay
from runyard.record.layout import RUN_FILE, SweepPaths
from runyard.record.plan import PlanRow, iter_plan
from runyard.record.run import RunRecord, read_run
from runyard.record.sweep import read_sweep

#: the events that tell of the runs.
_TELLING = ("submitted", "ended")
_DEEPEST = 6  # levels below a sweep at which a run may lie (hydra.sweep.subdir can hold slashes)


def read_plan(sweep_dir: Path) -> list[PlanRow]:
    """The plan as far as it was written; empty when there is none.

    Raises:
        RecordError: the file is there and is not a plan.
    """
    return list(iter_plan(SweepPaths(sweep_dir).plan_csv))


def read_runs(
    sweep_dir: Path, ledger: Ledger | None = None, *, touched: Collection[int] | None = None
) -> list[RunRecord]:
    """Every job of a sweep in the order of its numbers, also those that have not run (PENDING).

    A job's record is its ``run.json``; where that is missing, damaged, or older than what the journal says,
    the journal's. What the journal says is COMPLETED is final, and its file is not looked at. Without a plan (another
    launcher ran the jobs) the runs that are on disk. A plan that cannot be read counts as none.
    ``ledger`` is what the journal says, for whoever has read it already. ``touched`` are the jobs that anybody can have
    run, where that is known: the files of others are not looked for.
    """
    return list(iter_runs(sweep_dir, ledger, touched=touched))


def iter_runs(
    sweep_dir: Path, ledger: Ledger | None = None, *, touched: Collection[int] | None = None
) -> Iterator[RunRecord]:
    """``read_runs``, one at a time."""
    if ledger is None:
        ledger = replay(SweepPaths(sweep_dir).journal, _TELLING)
    try:
        plan = read_plan(sweep_dir)
    except RecordError:
        plan = []
    if not plan and not ledger.submitted:
        yield from _without_plan(sweep_dir, ledger.runs)
        return
    sweep_id = _id_of(sweep_dir)
    for row in plan:
        is_touched = touched is None or row.job in touched
        yield _one(sweep_id, sweep_dir, row, ledger.runs.get(row.job), looks=is_touched)
    for job in range(len(plan), ledger.submitted):  # not planned yet
        row = PlanRow(job=job, run_key="", run_dir=str(job), values={})
        yield _one(sweep_id, sweep_dir, row, ledger.runs.get(job))


def _id_of(sweep_dir: Path) -> str:
    try:
        return read_sweep(sweep_dir).sweep_id
    except RecordError:
        return sweep_dir.name


def _one(sweep_id: str, sweep_dir: Path, row: PlanRow, journalled: Any, *, looks: bool = True) -> RunRecord:
    run_dir = sweep_dir / row.run_dir
    record = _from_journal(journalled, run_dir)
    if looks and (record is None or record.state is not State.COMPLETED):
        record = _newer(_read_or_none(run_dir), record)
    return record or RunRecord(
        sweep_id=sweep_id,
        job=row.job,
        run_key=row.run_key,
        state=State.PENDING,
        overrides=(),
        params=dict(row.values),
        run_dir=str(run_dir),
    )


def _without_plan(sweep_dir: Path, journalled: dict[int, Any]) -> list[RunRecord]:
    found: dict[int, RunRecord] = {}
    for run_dir in find_run_dirs(sweep_dir):
        record = _read_or_none(run_dir)
        if record is not None:
            found[record.job] = record
    for job, value in journalled.items():
        record = _from_journal(value, None)
        newest = _newer(found.get(job), record)
        if newest is not None:
            found[job] = newest
    return [found[job] for job in sorted(found)]


def _read_or_none(run_dir: Path) -> RunRecord | None:
    try:
        return read_run(run_dir)
    except RecordError:
        return None


def with_provenance(run: RunRecord) -> RunRecord:
    """The same record with all of its provenance, of which the journal has only a part; from ``run.json``."""
    on_disk = _read_or_none(Path(run.run_dir))
    return run if on_disk is None else dataclasses.replace(run, provenance=on_disk.provenance)


def _from_journal(value: Any, run_dir: Path | None) -> RunRecord | None:
    if value is None:
        return None
    try:
        return RunRecord.from_json(value if run_dir is None else {**value, "run_dir": str(run_dir)})
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _newer(on_disk: RunRecord | None, journalled: RunRecord | None) -> RunRecord | None:
    """The record that knows more: the one with the later attempt; of the same attempt the one that ended."""
    if on_disk is None or journalled is None:
        return on_disk or journalled
    if _rank(journalled) > _rank(on_disk):
        return dataclasses.replace(journalled, provenance=on_disk.provenance)
    return on_disk


def _rank(record: RunRecord) -> tuple[int, bool]:
    return (record.attempts[-1].n if record.attempts else 0, record.state in TERMINAL)


def find_run_dirs(sweep_dir: Path) -> Iterator[Path]:
    """Directories below a sweep that hold a ``run.json``; does not look inside runs."""
    base = len(sweep_dir.parts)
    for folder, names, files in os.walk(sweep_dir):
        path = Path(folder)
        if RUN_FILE in files:
            names.clear()
            yield path
        elif len(path.parts) - base >= _DEEPEST:
            names.clear()
        else:
            names[:] = sorted(n for n in names if n not in ("snapshot", "tables", "shared", "figures", "previous"))


def count_states(runs: Sequence[RunRecord]) -> dict[str, int]:
    """How many jobs are in each state, in the states' order; states without a job are left out."""
    counts = Counter(run.state for run in runs)
    return {state.value: counts[state] for state in STATES if counts[state]}


def is_alive(pid: int, host: str) -> bool | None:
    """Whether the process runs on this machine; None when it belongs to another machine."""
    import socket

    if host != socket.gethostname():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
