"""What earlier sweeps tell of a job that is about to run: the registry finds it, and the files are asked.

Without a registry, or where it cannot be read, nothing is known; that is said once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runyard.base import RecordError, State, SweepState
from runyard.record import Drift, RunRecord, SweepPaths, is_held, iter_plan, read_run, replay
from runyard.registry import Registry

#: jobs of the newest sweep that are compared with the ones to come.
_MOST_ALIKE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A run in the registry."""

    sweep_id: str
    sweep_dir: Path
    job: int
    state: State
    run_key: str
    run_dir: Path
    seconds: float | None

    @property
    def name(self) -> str:
        """``SWEEP/JOB``."""
        return f"{self.sweep_id}/{self.job}"


class Past:
    """The earlier sweeps of one root.

    Args:
        root: where they lie; None when no registry is kept.
        sweep_dir: the sweep that asks; it is left out.
        experiment: its experiment.
        cwd: the working directory, from which source files are named.
    """

    def __init__(self, root: Path | None, sweep_dir: Path, *, experiment: str, cwd: Path) -> None:
        self._registry = Registry(root, busy_s=1.0) if root is not None else None
        self._sweep_dir, self._experiment = sweep_dir, experiment
        self._drift = Drift(cwd)
        self._elsewhere: dict[str, str] | None = None
        self._alike: _Alike | None = None

    def runs(self, keys: Collection[str]) -> dict[str, list[PastRun]]:
        """Runs with these run keys, the newest sweep's first."""
        if self._registry is None:
            return {}
        try:
            found = self._registry.runs_with_keys([key for key in keys if key])
        except RecordError as error:
            self._give_up(error)
            return {}
        runs = {key: [_past_run(row) for row in rows] for key, rows in found.items()}
        return {key: [run for run in past if run.sweep_dir != self._sweep_dir] for key, past in runs.items()}

    def _give_up(self, error: RecordError) -> None:
        sys.stderr.write(f"runyard: earlier sweeps cannot be looked at ({error.args[0]}); every job counts as new\n")
        self._registry = None

    def changes(self, run: PastRun) -> list[str] | None:
        """What has changed in the code since a completed run; None when its files do not confirm it."""
        record = self.record(run)
        return None if record is None else self._drift.changes(record, run.sweep_dir)

    def record(self, run: PastRun) -> RunRecord | None:
        """The record of a completed run; None when it is not there, or says something else."""
        try:
            record = read_run(run.run_dir)
        except (RecordError, OSError):
            return None
        is_it = record is not None and record.state is State.COMPLETED and record.run_key == run.run_key
        return record if is_it else None

    def elsewhere(self, run_key: str) -> str | None:
        """The sweep at work that still has a job with this key to end; None when there is none."""
        if self._elsewhere is None:
            self._elsewhere = self._at_work()
        return self._elsewhere.get(run_key)

    def _at_work(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for row in self._rows():
            folder = Path(row["path"])
            if row["state"] == SweepState.RUNNING.value and is_held(SweepPaths(folder).lock):
                ended = replay(SweepPaths(folder).journal).runs
                left = [r for r in iter_plan(SweepPaths(folder).plan_copy) if r.job not in ended]
                found |= {r.run_key: str(row["sweep_id"]) for r in left}
        return found

    def _rows(self) -> list[dict[str, Any]]:
        if self._registry is None:
            return []
        try:
            return [row for row in self._registry.rows() if Path(row["path"]) != self._sweep_dir]
        except RecordError as error:
            self._give_up(error)
            return []

    @property
    def alike(self) -> _Alike:
        """The newest sweep of the experiment that has completed jobs."""
        if self._alike is None:
            self._alike = self._newest() or _Alike(sweep_id="", runs={}, mean_s=None)
        return self._alike

    def _newest(self) -> _Alike | None:
        for row in self._rows():
            if row["experiment"] != self._experiment or not row["counts"].get(State.COMPLETED.value):
                continue
            runs = self._registry.runs(row["sweep_id"], limit=_MOST_ALIKE) if self._registry is not None else []
            return _alike(row, runs)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alike:
    """Jobs of an earlier sweep by their swept values, and how long they took."""

    sweep_id: str
    runs: Mapping[str, PastRun]
    mean_s: float | None

    def with_params(self, params: Mapping[str, Any]) -> PastRun | None:
        """The job with the same swept values; None when there is none."""
        return self.runs.get(_text(params))


def _alike(row: Mapping[str, Any], runs: list[dict[str, Any]]) -> _Alike:
    completed = [run for run in runs if run["state"] == State.COMPLETED.value]
    seconds = [run["seconds"] for run in completed if run["seconds"] is not None]
    folder = Path(row["path"])
    return _Alike(
        sweep_id=str(row["sweep_id"]),
        runs={
            _text(run["params"]): _past_run(
                {**run, "sweep_dir": folder, "run_dir": folder / run["run_dir"], "sweep_id": row["sweep_id"]}
            )
            for run in completed
        },
        mean_s=sum(seconds) / len(seconds) if seconds else None,
    )


def _text(params: Mapping[str, Any]) -> str:
    return json.dumps({key.lstrip("+"): value for key, value in params.items()}, sort_keys=True)


def _past_run(row: Mapping[str, Any]) -> PastRun:
    return PastRun(
        sweep_id=str(row["sweep_id"]),
        sweep_dir=Path(row["sweep_dir"]),
        job=int(row["job"]),
        state=State(row["state"]),
        run_key=str(row["run_key"]),
        run_dir=Path(row["run_dir"]),
        seconds=row["seconds"],
    )
