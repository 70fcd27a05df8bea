"""The record of a job, kept by the process that runs it: begun before the task, ended with its result."""

from __future__ import annotations

import dataclasses
import os
import socket
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runyard.base import State, UsageError, compact_json, iso, utc_now
from runyard.compose import wording
from runyard.orchestrate.opening import plain_params
from runyard.pipeline import StageElsewhere, checkpoint
from runyard.record import (
    RUN_FILE,
    ActiveRun,
    Attempt,
    Draft,
    ErrorInfo,
    Imports,
    ImportWatch,
    RunPaths,
    RunRecord,
    StageInfo,
    draft_of,
    frames_of,
    metrics_of,
    open_table,
    packages,
    provenance_lines,
    read_run,
    redact,
    redact_override,
    set_active,
    write_draft,
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """What is known of a job before it runs. ``earlier`` are its attempts so far.

    ``draft`` is the draft of its record, where that has been made already.
    """

    sweep_id: str
    sweep_dir: Path
    job: int
    run_key: str
    run_dir: Path
    overrides: tuple[str, ...]
    params: Mapping[str, Any]
    resources: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    earlier: tuple[Attempt, ...] = ()
    single: bool = False
    draft: Draft | None = None


def blank_record(facts: JobFacts) -> RunRecord:
    """The record of a job that is about to run: with its attempts so far, without provenance; secrets are redacted."""
    return RunRecord(
        sweep_id=facts.sweep_id,
        job=facts.job,
        run_key=facts.run_key,
        state=State.RUNNING,
        overrides=tuple(redact_override(o) for o in facts.overrides),
        params=redact(plain_params(facts.params)),
        run_dir=str(facts.run_dir),
        attempts=facts.earlier,
        resources=facts.resources,
    )


def refused(facts: JobFacts, error: Exception, provenance: Mapping[str, Any]) -> RunRecord:
    """The record of a job that could not be started, with the attempt that failed before it had a process."""
    now = iso(utc_now())
    attempt = Attempt(
        n=len(facts.earlier) + 1,
        state=State.FAILED,
        started_at=now,
        ended_at=now,
        seconds=0.0,
        host=socket.gethostname(),
        pid=os.getpid(),
        error=ErrorInfo(type=type(error).__qualname__, message=wording(error)),
    )
    return dataclasses.replace(blank_record(facts), provenance=provenance).with_attempt(attempt)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What a job ended with: its attempt as in ``run.json``, its metrics and its stages."""

    attempt: Mapping[str, Any]
    metrics: Mapping[str, Any]
    stages: Mapping[str, StageInfo]

    def record(self, facts: JobFacts) -> RunRecord:
        """The whole record, without provenance."""
        blank = blank_record(facts)
        attempt = Attempt.from_json(self.attempt)
        return dataclasses.replace(
            blank,
            attempts=(*facts.earlier, attempt),
            state=attempt.state,
            seconds=attempt.seconds,
            metrics=self.metrics,
            stages=self.stages,
        )


def own_provenance(provenance: Mapping[str, Any]) -> str:
    """The lines of a sweep's provenance that its runs have in common."""
    return provenance_lines({key: value for key, value in provenance.items() if key not in _OF_THE_RUN})


#: what a run tells of itself.
_OF_THE_RUN = ("seed", "packages", "code")


class RunningJob:
    """Keeps ``run.json`` of the job that runs in this process.

    ``begin`` writes it in state RUNNING and makes the run the active one; ``end`` writes what came of it. The final
    record is not written when a newer attempt has taken the directory over meanwhile.
    """

    def __init__(
        self,
        facts: JobFacts,
        provenance: Mapping[str, Any],
        seed: Any = None,
        *,
        imports: Imports | None = None,
        lines: str | None = None,
    ) -> None:
        """``imports``: those that ``provenance`` tells of, which this process has. ``lines`` is the latter as JSON."""
        self._facts = facts
        self._imports = ImportWatch(Path.cwd(), provenance.get("code") if imports is not None else None, imports)
        self._provenance = own_provenance(provenance) if lines is None else lines
        self._draft = draft_of(blank_record(facts)) if facts.draft is None else facts.draft
        self._written: tuple[int, ...] | None = None
        self.seed = seed
        self._started = time.monotonic()
        self._attempt: dict[str, Any] = {
            "n": len(facts.earlier) + 1,
            "state": "RUNNING",
            "started_at": iso(utc_now()),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "ended_at": None,
            "seconds": None,
            "exit_code": None,
            "signal": None,
            "error": None,
        }
        self.active = ActiveRun(
            dir=facts.run_dir,
            sweep_dir=None if facts.single else facts.sweep_dir,
            job=None if facts.single else facts.job,
            attempt=self._attempt["n"],
            shared_dir=facts.sweep_dir / "shared",
            params=facts.params,
        )

    def begin(self) -> None:
        """Writes the record and makes the run active. Rows of an earlier attempt outside its stages are removed."""
        folder = self._facts.run_dir
        if not os.path.isdir(folder):
            os.makedirs(folder, exist_ok=True)
        if self._facts.earlier:
            for file in RunPaths(folder).tables.glob("*.jsonl"):
                file.unlink()
        write_draft(folder, self._draft, self._attempt, f'{self._provenance},\n    "seed": {compact_json(self.seed)}')
        self._written = _identity(folder)
        set_active(self.active)

    def succeed(self, value: Any) -> Ending:
        """Ends with what the task returned: its numbers are metrics, its data frames tables."""
        for name, frame in frames_of(value).items():
            open_table(RunPaths(self._facts.run_dir).tables, name).extend(frame.to_dict("records"))
        return self._end(State.COMPLETED, metrics=metrics_of(value), exit_code=0)

    def fail(self, error: BaseException) -> Ending:
        """Ends with what the task raised. ``sys.exit(0)`` counts as success, as it does for a program."""
        code = exit_code_of(error)
        if isinstance(error, SystemExit) and code == 0:
            return self._end(State.COMPLETED, exit_code=0)
        return self._end(state_of(error), exit_code=code, error=describe(error))

    def _end(
        self, state: State, *, exit_code: int, metrics: dict[str, Any] | None = None, error: ErrorInfo | None = None
    ) -> Ending:
        self._attempt.update(
            state=state.value,
            ended_at=iso(utc_now()),
            seconds=round(time.monotonic() - self._started, 6),
            exit_code=exit_code,
            error=dataclasses.asdict(error) if error is not None else None,
        )
        ending = Ending(attempt=self._attempt, metrics=metrics or {}, stages=dict(self.active.stages))
        if self._is_still_ours():
            own = {"seed": self.seed, "packages": packages(), "code": self._imports.told()}
            write_draft(
                self._facts.run_dir,
                self._draft,
                ending.attempt,
                f"{self._provenance},{provenance_lines(own)}",
                metrics=ending.metrics,
                stages={name: stage.to_json() for name, stage in ending.stages.items()},
            )
        set_active(None)
        return ending

    def _is_still_ours(self) -> bool:
        if self._written is not None and _identity(self._facts.run_dir) == self._written:
            return True
        on_disk = read_run(self._facts.run_dir)
        if on_disk is None or not on_disk.attempts:
            return True
        last = on_disk.attempts[-1]
        mine = tuple(self._attempt[key] for key in ("n", "pid", "host"))
        return last.n < mine[0] or (last.n, last.pid, last.host) == mine


def _identity(run_dir: Path) -> tuple[int, ...] | None:
    """What tells a run's record from another that has taken its place; None when there is none."""
    try:
        found = os.stat(f"{run_dir}/{RUN_FILE}")
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def brief(record: RunRecord) -> dict[str, Any]:
    """A record for the journal: of its provenance what the results tell."""
    run = record.to_json()
    git = record.provenance.get("git") or {}
    return {**run, "provenance": {"git": {"sha": git.get("sha")}} if git else {}}


def state_of(error: BaseException) -> State:
    """The state that an exception means for its job."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's, of a device
        return State.OUT_OF_MEMORY
    if isinstance(error, KeyboardInterrupt):
        return State.CANCELLED
    if isinstance(error, (checkpoint.Requeue, StageElsewhere)):
        return State.PREEMPTED
    return State.FAILED


def exit_code_of(error: BaseException) -> int:
    """The code that a program ends with after this exception."""
    if isinstance(error, SystemExit):
        if error.code is None:
            return 0
        return error.code if isinstance(error.code, int) else 1
    return 130 if isinstance(error, KeyboardInterrupt) else 1


def describe(error: BaseException) -> ErrorInfo:
    """Type, message and traceback of an exception, each obtained with care: an exception's own methods may raise."""
    kind = type(error)
    name = (
        kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    )
    try:
        message = str(error)
    except Exception as exc:  # a __str__ that fails must not hide the failure itself
        message = f"<{type(exc).__name__} in __str__>"
    if isinstance(error, (UsageError, StageElsewhere)):
        return ErrorInfo(type=name, message=message)  # its words say it all
    try:
        trace = "".join(traceback.format_exception(kind, error, error.__traceback__))
    except Exception:  # as above
        trace = None
    return ErrorInfo(type=name, message=message, traceback=trace)
