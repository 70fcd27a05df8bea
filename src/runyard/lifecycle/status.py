"""What a sweep is good for now: active, success, failed or stale. The rule is pure; one function reads the files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path

from runyard.base import RecordError, SweepState, from_iso
from runyard.gates import read_gates
from runyard.lifecycle.work import at_work
from runyard.record import SweepPaths, SweepRecord

_DAY_S = 86400.0


class Status(str, Enum):
    """``ACTIVE``: at work, or of late. ``SUCCESS``, ``FAILED``: it ended so. ``STALE``: left undone long ago."""

    ACTIVE = "active"
    SUCCESS = "success"
    FAILED = "failed"
    STALE = "stale"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """``active_days``: so long after its last sign of life a sweep is active. ``stale_days``: then it is stale."""

    active_days: float = 7.0
    stale_days: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A status, why, and how many days ago the last sign of life was."""

    status: Status
    why: str
    age_days: float


def judge_sweep(
    state: SweepState, gates_passed: bool | None, age_days: float, limits: Limits, *, who: str = ""
) -> Judgement:
    """The status of a sweep.

    Args:
        state: as its record has it.
        gates_passed: the verdict of its gates; None where there is none.
        age_days: days since the last sign of life.
        limits: see ``Limits``.
        who: who works on it; empty for nobody.
    """

    def judged(status: Status, why: str) -> Judgement:
        return Judgement(status=status, why=why, age_days=age_days)

    if who:
        return judged(Status.ACTIVE, f"at work: {who}")
    if age_days < limits.active_days:
        return judged(Status.ACTIVE, f"changed less than {limits.active_days:g} days ago")
    if state is SweepState.COMPLETED and gates_passed is not False:
        return judged(Status.SUCCESS, "gates passed" if gates_passed else "all jobs completed")
    if state in (SweepState.COMPLETED, SweepState.FAILED):
        return judged(Status.FAILED, "gates failed" if state is SweepState.COMPLETED else "jobs failed")
    left = "never run" if state is SweepState.PENDING else "left undone"
    if age_days > limits.stale_days:
        return judged(Status.STALE, f"{left}, no sign of life for {age_days:.0f} days")
    return judged(Status.ACTIVE, f"{left}, may be resumed")


def status_of(sweep_dir: Path, record: SweepRecord, *, now: datetime, limits: Limits) -> Judgement:
    """The status of a sweep, from its files.

    Raises:
        RecordError: they cannot be read.
    """
    unsettled = record.state in (SweepState.RUNNING, SweepState.PENDING)
    who = at_work(sweep_dir) if unsettled else ""
    try:
        report = read_gates(sweep_dir)
    except RecordError:
        report = None  # what cannot be read passes for no verdict
    return judge_sweep(
        record.state,
        None if report is None else report.passed,
        (now - last_sign(sweep_dir, record)).total_seconds() / _DAY_S,
        limits,
        who=who,
    )


def last_sign(sweep_dir: Path, record: SweepRecord) -> datetime:
    """When the sweep ended; of one that has not, when its record or its journal was last written."""
    if record.finished_at:
        return from_iso(record.finished_at)
    times = [from_iso(record.created_at)]
    for path in (SweepPaths(sweep_dir).sweep_json, SweepPaths(sweep_dir).journal):
        try:
            times.append(datetime.fromtimestamp(os.stat(path).st_mtime, timezone.utc))
        except OSError:
            continue
    return max(times)
