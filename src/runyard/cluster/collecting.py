"""Collecting: what workers have left becomes the sweep's files, in a process that sees the directory."""

from __future__ import annotations

from pathlib import Path

from runyard.base import SweepState
from runyard.cluster.standing import Observer, Standing
from runyard.orchestrate import OpenSweep, RecorderSettings, brief, finish
from runyard.record import ControllerLock, Journal, SweepPaths, SweepRecord, read_run, read_sweep, write_run


def collect_cluster(sweep_dir: Path, root: Path | None, standing: Standing | None = None) -> SweepRecord:
    """Makes a sweep's files from what is there by now; jobs that have died with their workers are recorded so.

    While workers are at work the sweep stays RUNNING, and the files tell of the jobs that have ended.

    Args:
        sweep_dir: the sweep.
        root: where its registry lies; None keeps none.
        standing: how it stands, for whoever has looked.

    Raises:
        SweepBusy: another process does the same just now.
        RecordError: the directory is not that of a sweep.
    """
    now = standing or Observer(sweep_dir, least_s=0.0).look()
    lock = ControllerLock(SweepPaths(sweep_dir).lock)
    lock.acquire()
    try:
        _record_deaths(sweep_dir, now)
        record = read_sweep(sweep_dir)
        opened = OpenSweep(
            dir=sweep_dir,
            root=root,
            record=record,
            settings=RecorderSettings(experiment=record.experiment),
            entry=None,
        )
        interrupted = now.status.record.state is SweepState.CANCELLED
        runs = finish(opened, interrupted=interrupted)
        if now.is_at_work and any(not run.attempts or run.attempts[-1].ended_at is None for run in runs):
            opened.save(state=now.status.record.state, finished_at=None)
        return opened.record
    finally:
        lock.release()


def _record_deaths(sweep_dir: Path, now: Standing) -> None:
    """Writes down how jobs ended whose workers could not."""
    with Journal(SweepPaths(sweep_dir).journal) as journal:
        for run in now.status.runs:
            if not run.attempts or run.attempts[-1].ended_at is not None:
                continue
            on_disk = read_run(Path(run.run_dir))
            if on_disk is None or on_disk.state is run.state or len(on_disk.attempts) > len(run.attempts):
                continue  # still under way, or taken up again
            write_run(run)
            journal.append("ended", job=run.job, run=brief(run), recovered=True)
