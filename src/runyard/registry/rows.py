"""The row of a sweep and the row of a run, as the registry keeps them. Knows no database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runyard.base import RecordError, State, finite_json
from runyard.record import RunRecord, SweepPaths, SweepRecord, read_sweep

#: columns of a sweep's row after its path, and how each is kept in SQLite.
SWEEP_COLUMNS: Mapping[str, str] = {
    "sweep_id": "text",
    "experiment": "text",
    "state": "text",
    "counts": "json",
    "jobs": "integer",
    "created_at": "text",
    "finished_at": "text",
    "launcher": "text",
    "command": "json",
    "cwd": "text",
    "overrides": "json",
    "git_sha": "text",
    "git_branch": "text",
    "git_dirty": "bool",
    "host": "text",
    "tags": "json",
    "note": "text",
    "single": "bool",
}

#: columns of a run's row; ``run_dir`` is relative to its sweep, so that a sweep can be moved.
RUN_COLUMNS: Mapping[str, str] = {
    "sweep_id": "text",
    "job": "integer",
    "state": "text",
    "run_key": "text",
    "params": "json",
    "metrics": "json",
    "seconds": "real",
    "git_sha": "text",
    "run_dir": "text",
    "host": "text",
}

_NOT_FAILED = (State.PENDING, State.RUNNING, State.COMPLETED, State.CANCELLED)


def sweep_row(record: SweepRecord, sweep_dir: Path) -> dict[str, Any]:
    """What a list of sweeps tells of one: the keys of ``SWEEP_COLUMNS``, and ``path``, absolute."""
    git = _mapping(record.provenance.get("git"))
    row = {
        "sweep_id": record.sweep_id,
        "experiment": record.experiment,
        "state": record.state.value,
        "counts": dict(record.counts),
        "jobs": sum(record.counts.values()),
        "created_at": record.created_at,
        "finished_at": record.finished_at,
        "launcher": record.launcher,
        "command": list(record.command),
        "cwd": record.cwd,
        "overrides": list(record.overrides),
        "git_sha": git.get("sha"),
        "git_branch": git.get("branch"),
        "git_dirty": git.get("dirty"),
        "host": _mapping(record.provenance.get("host")).get("name"),
        "tags": list(record.tags),
        "note": record.note,
        "single": record.single,
    }
    return {name: _utf8(value) for name, value in row.items()} | {"path": os.path.abspath(sweep_dir)}


def read_sweep_row(sweep_dir: Path) -> dict[str, Any]:
    """``sweep_row`` from the sweep's file.

    Raises:
        RecordError: there is none, or it is not a sweep record.
    """
    try:
        return sweep_row(read_sweep(sweep_dir), sweep_dir)
    except (TypeError, ValueError, AttributeError) as exc:
        raise RecordError(SweepPaths(sweep_dir).sweep_json, f"not a sweep record ({exc})") from exc
    except OSError as exc:
        raise RecordError(SweepPaths(sweep_dir).sweep_json, f"cannot be read ({exc})") from exc


def run_row(run: RunRecord, sweep_dir: Path) -> dict[str, Any]:
    """What the registry tells of one run: the keys of ``RUN_COLUMNS``."""
    row = {
        "sweep_id": run.sweep_id,
        "job": run.job,
        "state": run.state.value,
        "run_key": run.run_key,
        "params": finite_json(run.params),
        "metrics": finite_json(run.metrics),
        "seconds": run.seconds,
        "git_sha": _mapping(run.provenance.get("git")).get("sha"),
        "run_dir": _inside(Path(run.run_dir), sweep_dir) or run.run_dir,
        "host": run.attempts[-1].host if run.attempts else None,
    }
    return {name: _utf8(value) for name, value in row.items()}


def newest_first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sweeps by the time they were made, the newest first; of one instant by id."""
    return sorted(rows, key=lambda row: (row["created_at"], row["sweep_id"], row["path"]), reverse=True)


def failed_count(counts: Mapping[str, int]) -> int:
    """How many jobs ended and are neither COMPLETED nor CANCELLED."""
    return sum(n for state, n in counts.items() if state not in {s.value for s in _NOT_FAILED})


def stored_path(root: Path, sweep_dir: Path) -> str:
    """How a sweep's place is written down: relative to the folder that holds the root when it is in there."""
    within = _inside(sweep_dir, root)
    if within is not None:
        return os.path.join(os.path.basename(os.path.abspath(root)), within)
    return _inside(sweep_dir, Path(os.path.abspath(root)).parent) or os.path.abspath(sweep_dir)


def absolute_path(root: Path, stored: str) -> Path:
    """The place that ``stored_path`` wrote down."""
    return Path(os.path.abspath(Path(os.path.abspath(root)).parent / stored))


def _inside(path: Path, folder: Path) -> str | None:
    """``path`` relative to ``folder``; None when it lies elsewhere. Links are followed only if need be."""
    for absolute in (os.path.abspath, os.path.realpath):
        inner, outer = absolute(path), absolute(folder)
        if inner == outer or inner.startswith(outer.rstrip(os.sep) + os.sep):
            return os.path.relpath(inner, outer)
    return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _utf8(value: Any) -> Any:
    """Text that can be written as UTF-8: what a command line had of other bytes becomes ``\\udcXX``."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
