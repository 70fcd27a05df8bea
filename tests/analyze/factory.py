"""Sweeps for tests, written with record's own writers: directories that look as if jobs had run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from runyard.base import State, SweepState, canonical_json, digest
from runyard.record import (
    Attempt,
    ErrorInfo,
    PlanRow,
    RunRecord,
    SweepPaths,
    SweepRecord,
    open_table,
    write_plan,
    write_run,
    write_sweep,
)

GIT = {"sha": "0123456789abcdef", "branch": "main", "dirty": True, "patch": "git.patch"}
PROVENANCE = {"git": GIT, "host": {"name": "box", "cpu": "Sparrow 3000", "cpus": 2}}

Outcome = Mapping[str, Any] | State | ErrorInfo


def grid(**axes: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Every combination; ``__`` in a name stands for a dot."""
    names = [name.replace("__", ".") for name in axes]
    for values in itertools.product(*axes.values()):
        yield dict(zip(names, values, strict=True))


def override_text(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def write_a_sweep(
    folder: Path,
    points: Sequence[Mapping[str, Any]],
    task: Callable[[Mapping[str, Any]], Outcome],
    *,
    names: Sequence[str] | None = None,
    plan: bool = True,
    rows: Callable[[Mapping[str, Any]], Mapping[str, Sequence[Mapping[str, Any]]]] | None = None,
    origin: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
    **changes: Any,
) -> Path:
    """A sweep directory: a job per point; ``task`` gives its metrics, the state it ended in, or its error.

    ``rows`` gives the tables of a job, ``origin`` what its provenance has in the place of PROVENANCE's, and under
    ``host_name`` and ``overrides`` what its record has. A job in the state PENDING leaves nothing but its line in
    the plan.
    """
    folder.mkdir(parents=True, exist_ok=True)
    swept = list(names if names is not None else dict.fromkeys(k for point in points for k in point))
    values: dict[str, Any] = {
        "sweep_id": folder.name,
        "experiment": folder.parent.name,
        "state": SweepState.RUNNING,
        "command": ("python", "train.py", "-m", "+runyard=local"),
        "cwd": "/home/someone",
        "overrides": (),
        "launcher": "runyard_local",
        "created_at": "2026-01-31T12:00:00.000Z",
        "provenance": PROVENANCE,
    }
    write_sweep(folder, SweepRecord(**(values | changes)))
    if plan:
        lines = [
            PlanRow(job=n, run_key=_key(p), run_dir=str(n), values={k: override_text(v) for k, v in p.items()})
            for n, p in enumerate(points)
        ]
        write_plan(SweepPaths(folder).plan_csv, lines, swept)
    for number, point in enumerate(points):
        outcome = task(point)
        if outcome is not State.PENDING:
            _write_a_run(folder, number, point, outcome, dict(origin(point)) if origin else {})
        for name, table in (rows(point) if rows else {}).items():
            open_table(folder / str(number) / "tables", name).extend(table)
    return folder


def _key(point: Mapping[str, Any]) -> str:
    return digest(canonical_json({k: str(v) for k, v in point.items()}))[:16]


def _write_a_run(folder: Path, number: int, point: Mapping[str, Any], outcome: Outcome, origin: dict[str, Any]) -> None:
    run_dir = folder / str(number)
    run_dir.mkdir()
    state = State.COMPLETED if isinstance(outcome, Mapping) else outcome if isinstance(outcome, State) else State.FAILED
    seconds = 1.5 + number % 3
    attempt = Attempt(
        n=1,
        state=state,
        started_at=f"2026-01-31T12:{number // 60 % 60:02d}:{number % 60:02d}.000Z",
        ended_at=f"2026-01-31T12:{number // 60 % 60:02d}:{number % 60:02d}.900Z",
        seconds=seconds,
        host=origin.pop("host_name", "box"),
        pid=100 + number,
        error=outcome if isinstance(outcome, ErrorInfo) else None,
    )
    write_run(
        RunRecord(
            sweep_id=folder.name,
            job=number,
            run_key=_key(point),
            state=state,
            overrides=(*(f"{k}={v}" for k, v in point.items()), *origin.pop("overrides", ())),
            params=dict(point),
            run_dir=str(run_dir),
            metrics=dict(outcome) if isinstance(outcome, Mapping) else {},
            attempts=(attempt,),
            seconds=seconds,
            provenance={**PROVENANCE, **origin},
        )
    )
