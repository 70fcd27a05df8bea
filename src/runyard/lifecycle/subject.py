"""A run that somebody names, with its sweep: what promote, leaderboard and rm speak about. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runyard.base import UsageError
from runyard.record import RunRecord, SweepRecord, read_runs, read_sweep, with_provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A run and the sweep that it belongs to; ``sweep_dir`` is absolute."""

    sweep_dir: Path
    sweep: SweepRecord
    run: RunRecord

    @property
    def name(self) -> str:
        """``SWEEP/JOB``; of a single run, its id alone."""
        return self.sweep.sweep_id if self.sweep.single else f"{self.sweep.sweep_id}/{self.run.job}"

    @property
    def run_dir(self) -> Path:  # noqa: D102
        return Path(self.run.run_dir)

    @property
    def git(self) -> dict[str, Any]:
        """``sha``, ``branch``, ``dirty``, ``patch``; empty where nothing is known."""
        return dict(self.run.provenance.get("git") or self.sweep.provenance.get("git") or {})

    @property
    def ended_at(self) -> str:
        """When the run ended, ISO 8601 in UTC; where that is not known, when the sweep did, or began."""
        last = self.run.attempts[-1].ended_at if self.run.attempts else None
        return last or self.sweep.finished_at or self.sweep.created_at


def subject_of(sweep_dir: Path, job: int | None) -> Subject:
    """The run of a job, with all of its provenance. A single run, and the only job of a sweep, need no number.

    Raises:
        UsageError: the sweep has no such job, or no number says which.
        RecordError: the directory is not that of a sweep.
    """
    sweep, runs = read_sweep(sweep_dir), read_runs(sweep_dir)
    if job is None and len(runs) == 1:
        job = runs[0].job
    if job is None:
        raise UsageError(
            f"{sweep.sweep_id} is a sweep of {len(runs)} jobs; one of them is wanted",
            where=str(sweep_dir),
            todo=f"name it as {sweep.sweep_id}/JOB; 'runyard results {sweep.sweep_id}' lists them",
        )
    for run in runs:
        if run.job == job:
            return Subject(sweep_dir=sweep_dir, sweep=sweep, run=with_provenance(run))
    known = f"its jobs are {runs[0].job} to {runs[-1].job}" if runs else "it has none yet"
    raise UsageError(f"no job {job} in this sweep", where=str(sweep_dir), todo=known)


def subjects_of(sweep_dir: Path) -> list[Subject]:
    """Every run of a sweep, in the order of the jobs; of the provenance only what the journal has.

    Raises:
        RecordError: the directory is not that of a sweep.
    """
    sweep = read_sweep(sweep_dir)
    return [Subject(sweep_dir=sweep_dir, sweep=sweep, run=run) for run in read_runs(sweep_dir)]
