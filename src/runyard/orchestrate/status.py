"""How a sweep stands now, from its files; and telling its controller to stop."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runyard.base import RecordError, State, SweepBusy, SweepState, UsageError
from runyard.orchestrate.ending import finish, make_files
from runyard.orchestrate.opening import OpenSweep, RecorderSettings
from runyard.orchestrate.planning import restore_plan_file
from runyard.record import (
    RunRecord,
    SweepPaths,
    SweepRecord,
    count_states,
    is_alive,
    is_held,
    read_holder,
    read_run,
    read_runs,
    read_sweep,
    recover_sweep,
    write_run,
    write_sweep,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepStatus:
    """A sweep as it stands. The state and the counts of ``record`` are derived from the files and from who lives.

    ``controller`` names the process at work, or is None.
    """

    record: SweepRecord
    runs: Sequence[RunRecord]
    controller: Mapping[str, Any] | None

    @property
    def running(self) -> list[RunRecord]:
        """Jobs under way."""
        return [run for run in self.runs if run.state is State.RUNNING]


def status(sweep_dir: Path) -> SweepStatus:
    """How a sweep stands.

    A sweep whose record says RUNNING but whose process is gone is LOST, and so are its RUNNING jobs.

    Raises:
        RecordError: the directory is not that of a sweep.
    """
    record = read_sweep(sweep_dir)
    controller = live_controller(sweep_dir, record)
    runs = read_runs(sweep_dir)
    state = record.state
    if controller is None:
        runs = [_settled(run) for run in runs]
        if state is SweepState.RUNNING:
            state = SweepState.LOST
    return SweepStatus(
        record=dataclasses.replace(record, state=state, counts=count_states(runs)), runs=runs, controller=controller
    )


def live_controller(sweep_dir: Path, record: SweepRecord) -> Mapping[str, Any] | None:
    """The process at work on a sweep, or None. One on another machine counts as alive while the record says so."""
    lock = SweepPaths(sweep_dir).lock
    if is_held(lock):
        return read_holder(lock) or record.controller
    if record.state is not SweepState.RUNNING or record.controller is None:
        return None
    pid, host = int(record.controller["pid"]), str(record.controller["host"])
    if host == socket.gethostname() and lock.exists():
        return None  # ours hold the lock while they run
    return None if is_alive(pid, host) is False else record.controller


def _settled(run: RunRecord) -> RunRecord:
    """A job that says RUNNING although nobody runs it is LOST."""
    if run.state is not State.RUNNING or not run.attempts:
        return run
    last = run.attempts[-1]
    if is_alive(last.pid, last.host) is not False:
        return run
    return run.with_attempt(dataclasses.replace(last, state=State.LOST))


def collect(sweep_dir: Path, root: Path | None) -> SweepRecord:
    """Makes a sweep's files from what is on disk, after settling what no process works on any more.

    Args:
        sweep_dir: the sweep.
        root: where its registry lies; None keeps none.

    Raises:
        SweepBusy: a controller is at work on it.
        RecordError: the directory is not that of a sweep.
    """
    _mend_sweep_record(sweep_dir)
    now = status(sweep_dir)
    if now.controller is not None:
        raise SweepBusy(
            f"process {now.controller.get('pid')} on {now.controller.get('host')} is at work on this sweep",
            where=str(sweep_dir),
            todo="wait until it has ended, or stop it with 'runyard cancel'",
        )
    if restore_plan_file(sweep_dir):
        sys.stderr.write("plan.csv was not the plan that was submitted; the submitted one is back\n")
        now = status(sweep_dir)
    for run in now.runs:
        if _needs_writing(run):
            write_run(run)
    interrupted = now.record.state is SweepState.CANCELLED and any(r.state is State.PENDING for r in now.runs)
    opened = OpenSweep(
        dir=sweep_dir,
        root=root,
        record=read_sweep(sweep_dir),
        settings=RecorderSettings(experiment=now.record.experiment),
        entry=None,
    )
    ended = [run.attempts[-1].ended_at or "" for run in now.runs if run.attempts]
    finish(opened, interrupted=interrupted, finished_at=now.record.finished_at or max(ended, default="") or None)
    if opened.record.single:
        for message in make_files(opened):
            sys.stderr.write(message + "\n")
    return opened.record


def _mend_sweep_record(sweep_dir: Path) -> None:
    """Writes ``sweep.json`` again from the journal where it is missing or damaged."""
    try:
        read_sweep(sweep_dir)
    except RecordError as exc:
        record = recover_sweep(sweep_dir)
        if record is None:
            raise
        write_sweep(sweep_dir, dataclasses.replace(record, controller=None))
        sys.stderr.write(f"sweep.json was made again from the journal ({exc.problem})\n")


def _needs_writing(run: RunRecord) -> bool:
    """Whether a run's file says less than what is known: it is damaged, missing, or its process has died."""
    if not run.attempts or not Path(run.run_dir).is_dir():
        return False
    try:
        on_disk = read_run(Path(run.run_dir))
    except RecordError:
        return True
    return on_disk is None or on_disk.state is not run.state


def cancel(sweep_dir: Path) -> str:
    """Tells the controller of a sweep to stop, as Ctrl-C in its terminal would; returns a sentence for the user.

    Raises:
        UsageError: no controller of this sweep lives on this machine.
    """
    record = read_sweep(sweep_dir)
    controller = live_controller(sweep_dir, record)
    if controller is None:
        raise UsageError(
            f"no process is at work on the sweep {record.sweep_id}",
            where=str(sweep_dir),
            todo="there is nothing to cancel; 'runyard status' tells how it stands",
        )
    pid, host = int(controller["pid"]), controller["host"]
    if host != socket.gethostname():
        raise UsageError(f"the sweep's process {pid} is on another machine", where=str(host), todo="cancel it there")
    os.kill(pid, signal.SIGINT)
    return f"told process {pid} to stop: running jobs get SIGTERM, then SIGKILL after the grace period"
