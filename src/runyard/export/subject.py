"""Subject: what trackers are told of a sweep and of each of its jobs that has ended. Knows no tracker; reads only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from runyard.base import TERMINAL, from_iso, read_tail
from runyard.export.history import Point, histories
from runyard.record import (
    RunPaths,
    RunRecord,
    SweepRecord,
    read_runs,
    read_sweep,
    redact,
    table_files,
    with_provenance,
)

_TAIL_BYTES = 65536
_TAIL_LINES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A sweep, its jobs that have ended, and the numbers of those that have not."""

    dir: Path
    sweep: SweepRecord
    ended: tuple[RunRecord, ...]
    left_out: tuple[int, ...]


def read_subject(sweep_dir: Path) -> Subject:
    """Reads a sweep.

    Raises:
        RecordError: the directory is not that of a sweep.
    """
    runs = read_runs(sweep_dir)
    return Subject(
        dir=sweep_dir,
        sweep=read_sweep(sweep_dir),
        ended=tuple(with_provenance(run) for run in runs if run.state in TERMINAL),
        left_out=tuple(run.job for run in runs if run.state not in TERMINAL),
    )


def times_of(run: RunRecord, sweep: SweepRecord) -> tuple[float, float]:
    """Start and end of the last attempt, in seconds since 1970.

    An attempt whose end nobody saw ends as it starts; a job that could not be started has the sweep's beginning.
    """
    if not run.attempts:
        start = from_iso(sweep.created_at)
        return start.timestamp(), start.timestamp()
    last = run.attempts[-1]
    start = from_iso(last.started_at)
    end = from_iso(last.ended_at) if last.ended_at else start + timedelta(seconds=last.seconds or 0)
    return start.timestamp(), end.timestamp()


def swept_of(run: RunRecord) -> dict[str, Any]:
    """The swept values by the names of the config: without Hydra's ``+``."""
    return {str(name).lstrip("+"): value for name, value in redact(run.params).items()}


def config_of(run: RunRecord) -> dict[str, Any]:
    """The job's config as Hydra left it, secrets taken out; empty when there is none that can be read."""
    import yaml

    try:
        config = yaml.safe_load((Path(run.run_dir) / ".hydra" / "config.yaml").read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return {}
    return redact(config) if isinstance(config, dict) else {}


def flat(config: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """A config's leaves by dotted key; a list, and a mapping that is empty, is a leaf."""
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def histories_of(run: RunRecord) -> dict[str, list[Point]]:
    """What the job's tables say step by step: by ``<table>/<column>``, of a stage ``<stage>/<table>/<column>``."""
    found: dict[str, list[Point]] = {}
    for path in table_files(Path(run.run_dir)):
        stage = path.parent.parent.relative_to(run.run_dir).as_posix()
        prefix = path.stem if stage == "." else f"{stage}/{path.stem}"
        found |= {f"{prefix}/{column}": points for column, points in histories(path).items()}
    return found


def log_tail(run: RunRecord) -> str:
    """The last 200 lines of what the job wrote; empty when it left no log."""
    lines = read_tail(RunPaths(Path(run.run_dir)).output_log, _TAIL_BYTES)[0].splitlines()
    return "".join(f"{line}\n" for line in lines[-_TAIL_LINES:])


def sha_of(record: RunRecord | SweepRecord) -> str | None:
    """The commit, in full; None when the code was under no version control."""
    git = record.provenance.get("git") or {}
    return git.get("sha")


def is_number(value: Any) -> bool:
    """Whether a swept value is a finite number, and no truth value."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
