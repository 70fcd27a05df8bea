"""The run record: ``run.json``, what is known of one job. Reads and writes it; decides nothing."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runyard.base import RecordError, State, compact_json, from_finite_json, read_json, write_text
from runyard.record.layout import RunPaths

RUN_SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorInfo:
    """Why an attempt did not complete: the exception's type, its message, and the traceback as text or None."""

    type: str
    message: str
    traceback: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a job. Times are ISO 8601 UTC; ``signal`` is a name such as ``SIGSEGV``."""

    n: int
    state: State
    started_at: str
    host: str
    pid: int
    ended_at: str | None = None
    seconds: float | None = None
    exit_code: int | None = None
    signal: str | None = None
    error: ErrorInfo | None = None

    def to_json(self) -> dict[str, Any]:
        """The mapping that stands in ``run.json``."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        values["state"] = self.state.value
        values["error"] = dataclasses.asdict(self.error) if self.error else None
        return values

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Attempt:
        """The attempt that ``to_json`` wrote. Raises KeyError, TypeError or ValueError on anything else."""
        known = {f.name for f in dataclasses.fields(Attempt)}
        fields = {k: v for k, v in value.items() if k in known}
        fields["state"] = State(fields["state"])
        fields["error"] = ErrorInfo(**fields["error"]) if fields.get("error") else None
        return Attempt(**fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageInfo:
    """State, seconds and metrics of one stage."""

    state: State
    seconds: float | None
    metrics: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The mapping that stands in ``run.json``."""
        return {"state": self.state.value, "seconds": self.seconds, "metrics": dict(self.metrics)}

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> StageInfo:
        """The stage that ``to_json`` wrote."""
        return StageInfo(
            state=State(value["state"]),
            seconds=value.get("seconds"),
            metrics=from_finite_json(value.get("metrics") or {}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What ``run.json`` says. ``params`` are the swept values; ``seconds`` those of the last attempt.

    ``reused`` tells of a result that was taken over from an earlier run: its ``sweep_id``, ``job`` and ``run_dir``.
    """

    sweep_id: str
    job: int
    run_key: str
    state: State
    overrides: tuple[str, ...]
    params: Mapping[str, Any]
    run_dir: str
    metrics: Mapping[str, Any] = field(default_factory=dict)
    stages: Mapping[str, StageInfo] = field(default_factory=dict)
    attempts: tuple[Attempt, ...] = ()
    seconds: float | None = None
    resources: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    reused: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The mapping that stands in ``run.json``."""
        return {
            "schema": RUN_SCHEMA,
            "sweep_id": self.sweep_id,
            "job": self.job,
            "run_key": self.run_key,
            "state": self.state.value,
            "overrides": list(self.overrides),
            "params": dict(self.params),
            "metrics": dict(self.metrics),
            "stages": {name: stage.to_json() for name, stage in self.stages.items()},
            "attempts": [attempt.to_json() for attempt in self.attempts],
            "seconds": self.seconds,
            "resources": dict(self.resources),
            "provenance": dict(self.provenance),
            "reused": dict(self.reused) if self.reused is not None else None,
            "run_dir": self.run_dir,
        }

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> RunRecord:
        """The record that ``to_json`` wrote. Raises KeyError, TypeError or ValueError on anything else."""
        return RunRecord(
            sweep_id=value["sweep_id"],
            job=int(value["job"]),
            run_key=value["run_key"],
            state=State(value["state"]),
            overrides=tuple(value["overrides"]),
            params=value["params"],
            run_dir=value["run_dir"],
            metrics=from_finite_json(value["metrics"]),
            stages={n: StageInfo.from_json(s) for n, s in value["stages"].items()},
            attempts=tuple(Attempt.from_json(a) for a in value["attempts"]),
            seconds=value["seconds"],
            resources=value["resources"],
            provenance=value["provenance"],
            reused=value.get("reused"),
        )

    def with_attempt(self, attempt: Attempt, **changes: Any) -> RunRecord:
        """A copy in which ``attempt`` stands in the place of the one with its number, or comes last.

        The record's state and seconds follow the attempt's.
        """
        others = tuple(a for a in self.attempts if a.n != attempt.n)
        attempts = tuple(sorted((*others, attempt), key=lambda a: a.n))
        return dataclasses.replace(self, attempts=attempts, state=attempt.state, seconds=attempt.seconds, **changes)


def write_run(record: RunRecord, folder: Path | None = None) -> None:
    """Writes ``run.json`` into the run's directory, which must be there: a line for each key, and each of its parts.

    ``folder`` is written into in its place, where the directory is still to be given its name.
    """
    values = {**record.to_json(), "provenance": None}
    provenance = "{" + provenance_lines(record.provenance) + "\n  }"
    lines = [f"  {json.dumps(k)}: {provenance if k == 'provenance' else compact_json(v)}" for k, v in values.items()]
    write_text(RunPaths(folder or Path(record.run_dir)).run_json, "{\n" + ",\n".join(lines) + "\n}\n")


def provenance_lines(provenance: Mapping[str, Any]) -> str:
    """A provenance as it stands in ``run.json`` between its braces; further lines may follow behind a comma."""
    return ",".join([f"\n    {json.dumps(key)}: {compact_json(value)}" for key, value in provenance.items()])


def read_run(run_dir: Path) -> RunRecord | None:
    """The record in a run's directory; None when there is none.

    The directory that is read is the truth for ``run_dir``: a sweep may have been moved.

    Raises:
        RecordError: the file is not a run record of schema 1.
    """
    path = RunPaths(run_dir).run_json
    try:
        value = read_json(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        if value["schema"] != RUN_SCHEMA:
            raise RecordError(path, f"schema {value['schema']!r}; this version reads {RUN_SCHEMA}")
        return dataclasses.replace(RunRecord.from_json(value), run_dir=str(run_dir))
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise RecordError(path, f"not a run record ({type(exc).__name__}: {exc})") from exc
