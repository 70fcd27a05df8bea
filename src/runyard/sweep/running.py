"""The record of a job, kept by the process that runs it: begun before the task, ended with its result."""

from __future__ import annotations

import dataclasses
import os
import socket
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from runyard.base import State, UsageError, iso, utc_now
from runyard.compose import wording
from runyard.record import (
    ActiveRun,
    Attempt,
    ErrorInfo,
    ImportWatch,
    RunPaths,
    RunRecord,
    frames_of,
    metrics_of,
    open_table,
    packages,
    read_run,
    redact,
    redact_override,
    set_active,
    write_run,
)
from runyard.sweep.config import plain_params, task_overrides


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """What is known of a job before it runs. ``earlier`` are its attempts so far.

    ``record`` is its record to be, where that has been made already.
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
    record: RunRecord | None = None


def blank_record(facts: JobFacts) -> RunRecord:
    """The record of a job that is about to run: without attempts and provenance; secrets are redacted."""
    return RunRecord(
        sweep_id=facts.sweep_id,
        job=facts.job,
        run_key=facts.run_key,
        state=State.RUNNING,
        overrides=tuple(redact_override(o) for o in facts.overrides),
        params=redact(plain_params(facts.params)),
        run_dir=str(facts.run_dir),
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
    record = facts.record or blank_record(facts)
    return dataclasses.replace(record, attempts=facts.earlier, provenance=provenance).with_attempt(attempt)


class RunningJob:
    """Keeps ``run.json`` of the job that runs in this process.

    ``begin`` writes it in state RUNNING and makes the run the active one; ``end`` writes what came of it. The final
    record is not written when a newer attempt has taken the directory over meanwhile.
    """

    def __init__(
        self, facts: JobFacts, provenance: Mapping[str, Any], seed: Any = None, *, is_forked: bool = False
    ) -> None:
        """``is_forked`` tells that this process has the imports that ``provenance`` tells of."""
        self._facts = facts
        self._imports = ImportWatch(Path.cwd(), provenance.get("code") if is_forked else None)
        self._written: tuple[int, ...] | None = None
        self.seed = seed
        self._started = time.monotonic()
        attempt = Attempt(
            n=len(facts.earlier) + 1,
            state=State.RUNNING,
            started_at=iso(utc_now()),
            host=socket.gethostname(),
            pid=os.getpid(),
        )
        self._attempt = attempt
        record = facts.record or blank_record(facts)
        self._record = dataclasses.replace(
            record, attempts=(*facts.earlier, attempt), provenance={**provenance, "seed": seed}
        )
        sweep_dir = None if facts.single else facts.sweep_dir
        self.active = ActiveRun(
            dir=facts.run_dir,
            sweep_dir=sweep_dir,
            job=None if facts.single else facts.job,
            attempt=attempt.n,
            shared_dir=facts.sweep_dir / "shared",
            params=facts.params,
        )

    def begin(self) -> None:
        """Writes the record and makes the run active. Rows of an earlier attempt outside its stages are removed."""
        paths = RunPaths(self._facts.run_dir)
        os.makedirs(paths.dir, exist_ok=True)
        if os.path.isdir(paths.tables):
            for file in paths.tables.glob("*.jsonl"):
                file.unlink()
        write_run(self._record)
        self._written = _identity(paths.run_json)
        set_active(self.active)

    def succeed(self, value: Any) -> RunRecord:
        """Ends with what the task returned: its numbers are metrics, its data frames tables."""
        for name, frame in frames_of(value).items():
            open_table(RunPaths(self._facts.run_dir).tables, name).extend(frame.to_dict("records"))
        return self._end(State.COMPLETED, metrics=metrics_of(value), exit_code=0)

    def fail(self, error: BaseException) -> RunRecord:
        """Ends with what the task raised. ``sys.exit(0)`` counts as success, as it does for a program."""
        code = exit_code_of(error)
        if isinstance(error, SystemExit) and code == 0:
            return self._end(State.COMPLETED, exit_code=0)
        return self._end(state_of(error), exit_code=code, error=describe(error))

    def _end(self, state: State, *, exit_code: int, metrics: Any = None, error: ErrorInfo | None = None) -> RunRecord:
        attempt = dataclasses.replace(
            self._attempt,
            state=state,
            ended_at=iso(utc_now()),
            seconds=round(time.monotonic() - self._started, 6),
            exit_code=exit_code,
            error=error,
        )
        provenance = {
            **self._record.provenance,
            "seed": self.seed,
            "packages": packages(),
            "code": self._imports.told(),
        }
        record = self._record.with_attempt(
            attempt, metrics=metrics or {}, stages=dict(self.active.stages), provenance=provenance
        )
        if self._is_still_ours():
            write_run(record)
        set_active(None)
        return record

    def _is_still_ours(self) -> bool:
        if self._written is not None and _identity(RunPaths(self._facts.run_dir).run_json) == self._written:
            return True
        on_disk = read_run(self._facts.run_dir)
        if on_disk is None or not on_disk.attempts:
            return True
        last = on_disk.attempts[-1]
        mine = self._attempt
        return last.n < mine.n or (last.n, last.pid, last.host) == (mine.n, mine.pid, mine.host)


def _identity(path: Path) -> tuple[int, ...] | None:
    """What tells one file from another that has taken its place; None when there is none."""
    try:
        found = os.stat(path)
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
    if isinstance(error, UsageError):
        return ErrorInfo(type=name, message=message)  # its three parts say it all
    try:
        trace = "".join(traceback.format_exception(kind, error, error.__traceback__))
    except Exception:  # as above
        trace = None
    return ErrorInfo(type=name, message=message, traceback=trace)


def facts_of(config: DictConfig) -> tuple[str, Sequence[str]]:
    """Output folder and task overrides of a config whose job has begun."""
    return str(config.hydra.runtime.output_dir), task_overrides(config)
