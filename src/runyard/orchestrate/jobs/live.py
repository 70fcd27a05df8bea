"""An attempt under way, and the record of its end: its worker's, or ours where the worker died before it wrote one."""

from __future__ import annotations

import dataclasses
import os
import pickle
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runyard.base import TERMINAL, RecordError, State, iso, utc_now
from runyard.execute import Ended, Lease, Resources, Task, Verdict, judge, signal_name
from runyard.orchestrate.jobs.running import blank_record
from runyard.orchestrate.jobs.worker import JobPayload, JobReport
from runyard.orchestrate.planning import PlannedJob
from runyard.record import Attempt, ErrorInfo, RunPaths, RunRecord, read_run, write_run


@dataclass(slots=True)
class Live:
    """An attempt at a job, from the moment that it is handed to the pool.

    ``lease`` is None while it waits in the line for another's, and once it has passed its own on. ``made`` counts the
    attempts that this process has made. ``asked`` is the state that we have asked it to end in.
    """

    job: PlannedJob
    attempt: int
    made: int
    payload: JobPayload
    wanted: Resources
    lease: Lease | None = None
    began: float = field(default_factory=time.monotonic)
    asked: State | None = None
    pid: int = 0

    def task(self, ticket: int, lease: Lease) -> Task:
        """What the pool is handed, to run in the room of ``lease``."""
        facts = self.payload.facts
        environment = {
            "RUNYARD_SWEEP_DIR": str(facts.sweep_dir),
            "RUNYARD_JOB": str(facts.job),
            "RUNYARD_ATTEMPT": str(self.attempt),
        }
        return Task(
            ticket=ticket,
            payload=self.payload,
            output=RunPaths(self.job.run_dir).output_log,
            environment={**lease.environment(), **environment},
            memory_bytes=self.wanted.memory_bytes,
            threads=lease.threads,
        )

    def settle(self, event: Ended, report: JobReport | None, provenance: Mapping[str, Any]) -> RunRecord:
        """The final record; written where the worker could not. ``provenance`` is the sweep's."""
        on_disk = written = None
        if report is not None:  # it was sent after the record was written
            written = dataclasses.replace(report.ending.record(self.payload.facts), provenance=provenance)
        else:
            on_disk = _read(self.job.run_dir)
            written = on_disk if _is_final(on_disk, self.attempt) else None
        if written is not None and (self.asked is None or written.state is State.COMPLETED):
            return written
        verdict = judge(event, asked=self.asked, memory_bytes=self.wanted.memory_bytes)
        base = _read(self.job.run_dir) or written or blank_record(self.payload.facts)
        attempt = self._final_attempt(event, base, verdict)
        record = base.with_attempt(attempt, metrics={}, stages=base.stages)
        write_for_dead(record)
        return record

    def _final_attempt(self, event: Ended, base: RunRecord, verdict: Verdict) -> Attempt:
        begun = next((a for a in base.attempts if a.n == self.attempt), None)
        error = begun.error if begun and begun.error else ErrorInfo(type=verdict.kind, message=verdict.reason)
        return Attempt(
            n=self.attempt,
            state=verdict.state,
            started_at=begun.started_at if begun else iso(utc_now()),
            ended_at=iso(utc_now()),
            seconds=round(time.monotonic() - self.began, 6),
            host=begun.host if begun else socket.gethostname(),
            pid=begun.pid if begun else self.pid,
            exit_code=event.exit_code,
            signal=signal_name(event.signal),
            error=error,
        )


def report_of(event: Ended) -> JobReport | None:
    """What the worker has told before its end; None when it did not come that far."""
    if not event.report:
        return None
    try:
        report: Any = pickle.loads(event.report)
    except (pickle.UnpicklingError, EOFError):  # the worker died while it reported; its run.json is whole
        return None
    return report if isinstance(report, JobReport) else None


def write_for_dead(record: RunRecord) -> None:
    """Writes a record on behalf of a worker that is dead, or never was."""
    os.makedirs(record.run_dir, exist_ok=True)
    write_run(record)


def _read(run_dir: Path) -> RunRecord | None:
    try:
        return read_run(run_dir)
    except RecordError:
        return None


def _is_final(record: RunRecord | None, attempt: int) -> bool:
    return (
        record is not None and bool(record.attempts) and record.attempts[-1].n == attempt and record.state in TERMINAL
    )
