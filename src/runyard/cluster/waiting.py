"""Waiting for a sweep on a cluster, and watching it, from any process that sees its directory."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from runyard.base import TERMINAL, State, from_iso, utc_now
from runyard.cluster.collecting import collect_cluster
from runyard.cluster.standing import Observer, Standing
from runyard.orchestrate import BestSoFar, Display, Progress, RunningJob, eta_seconds, make_display
from runyard.record import RunRecord, SweepPaths, label_of, shown

_EVERY_S = 1.0


def wait_for(
    sweep_dir: Path, root: Path | None, *, timeout_s: float | None = None, display: str = "none"
) -> Standing | None:
    """Waits until no worker is left and makes the sweep's files; returns how it stands, or None when time ran out.

    Args:
        sweep_dir: the sweep.
        root: where its registry lies; None keeps none.
        timeout_s: for how long at the most, in seconds; None for as long as it takes.
        display: how it is shown meanwhile: ``live``, ``plain``, ``auto`` or ``none``.

    Raises:
        KeyboardInterrupt: Ctrl-C, which ends nothing but the waiting.
    """
    observer = Observer(sweep_dir)
    until = None if timeout_s is None else time.monotonic() + timeout_s
    view = _View(sweep_dir, display)
    try:
        while True:
            standing = observer.look()
            view.show(standing)
            if not standing.is_at_work:
                break
            if until is not None and time.monotonic() >= until:
                return None
            time.sleep(_EVERY_S if until is None else min(_EVERY_S, max(0.0, until - time.monotonic())))
    finally:
        view.close()
    collect_cluster(sweep_dir, root, standing)
    return observer.look()


def wait_here(sweep_dir: Path, root: Path | None, *, display: str) -> bool:
    """Stays in the command that submitted a sweep, until it is over or Ctrl-C; returns whether every job completed.

    Raises:
        SystemExit: with code 130, after Ctrl-C. Nothing is cancelled.
    """
    try:
        standing = wait_for(sweep_dir, root, display=display)
    except KeyboardInterrupt:
        sys.stderr.write(
            "no longer watching; the jobs go on, and 'runyard wait' or 'runyard watch' takes it up again\n"
        )
        raise SystemExit(130) from None
    if standing is not None:
        counts = ", ".join(f"{n} {state}" for state, n in standing.status.record.counts.items())
        sys.stderr.write(f"sweep {standing.status.record.sweep_id}: {counts or 'no jobs'}\n")
        results = SweepPaths(sweep_dir).results_csv
        if results.exists():
            sys.stderr.write(f"  results: {shown(results)}\n")
    return standing is not None and all(run.state is State.COMPLETED for run in standing.status.runs)


class _View:
    """Shows how a sweep stands, as the local launcher does."""

    def __init__(self, sweep_dir: Path, display: str) -> None:
        self._dir, self._kind = sweep_dir, display
        self._display: Display | None = None
        self._told: set[tuple[int, int]] = set()
        self._best = BestSoFar()
        self._began = time.monotonic()

    def show(self, standing: Standing) -> None:
        runs = standing.status.runs
        if self._display is None:
            done = sum(run.state in TERMINAL for run in runs)
            self._display = make_display(sys.stderr, len(runs), done=done, kind=self._kind)
            self._display.start()
            self._told = {_key(run) for run in runs if run.state in TERMINAL}
        for run in runs:
            if run.state in TERMINAL and _key(run) not in self._told:
                self._told.add(_key(run))
                self._best.see(run)
                self._display.job_ended(run)
        self._display.update(self._progress(standing, runs))

    def _progress(self, standing: Standing, runs: Sequence[RunRecord]) -> Progress:
        ended = [run.seconds for run in runs if run.state is State.COMPLETED and run.seconds is not None]
        running = [run for run in runs if run.state is State.RUNNING]
        spent = [_seconds_so_far(run) for run in running]
        counts = dict(standing.status.record.counts)
        return Progress(
            sweep_id=standing.status.record.sweep_id,
            total=len(runs),
            counts=counts,
            running=[RunningJob(job=r.job, label=label_of(r), seconds=s) for r, s in zip(running, spent, strict=True)],
            best=self._best.best,
            eta_s=eta_seconds(
                ended=len(ended),
                ended_s=sum(ended),
                pending=counts.get(State.PENDING.value, 0),
                running_s=spent,
                slots=max(1, sum(worker.is_alive for worker in standing.workers)),
            ),
            elapsed_s=time.monotonic() - self._began,
        )

    def close(self) -> None:
        if self._display is not None:
            self._display.close()


def _seconds_so_far(run: RunRecord) -> float:
    """How long an attempt has been under way, by the clocks of the machine that runs it and of this one."""
    return max(0.0, (utc_now() - from_iso(run.attempts[-1].started_at)).total_seconds()) if run.attempts else 0.0


def _key(run: RunRecord) -> tuple[int, int]:
    return run.job, len(run.attempts)
