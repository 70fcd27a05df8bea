"""``runyard logs``: what a job printed, also while it prints; or which jobs of a sweep failed, and why."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import click

from runyard.base import FAILURES, TERMINAL, State, UsageError
from runyard.cli.look import log_of
from runyard.cli.options import find_target, json_option, print_json, roots_option, run_of
from runyard.cli.stand import standing_of
from runyard.cli.words import state_text
from runyard.record import RunRecord, SweepPaths, is_alive, is_held, read_run, read_runs, reason_of, shown

_TAIL = 20
_BLOCK = 65536
_POLL_S = 0.2
#: how often it is looked whether a worker of a sweep on Slurm is left, in seconds.
_LOOK_S = 2.0


@click.command()
@click.argument("sweep", metavar="[SWEEP[/JOB]]", default="latest")
@click.argument("job", required=False, type=int)
@click.option("--tail", "-n", type=click.IntRange(min=0), help="Only so many lines from the end.")
@click.option("--follow", "-f", is_flag=True, help="Go on until the job ends.")
@roots_option
@json_option
def logs(sweep: str, job: int | None, tail: int | None, follow: bool, roots: tuple[Path, ...], as_json: bool) -> None:
    """Print what a job wrote to its standard output and error.

    Of a sweep: its failed jobs, where their logs are, and the end of the first. A bare number is a job of the
    latest sweep.
    """
    sweep_dir, named = find_target(sweep, roots)
    job = named if job is None else job
    runs = read_runs(sweep_dir)
    if job is None and len(runs) == 1:
        job = runs[0].job
    if job is None and follow:
        raise UsageError("--follow needs a job", todo=f"name one: runyard logs -f {sweep}/JOB")
    if job is None:
        _of_sweep(sweep_dir, runs, _TAIL if tail is None else tail, as_json)
        return
    run = run_of(runs, job, sweep_dir)
    if as_json:
        path = _log(run)
        text = path.read_bytes()[_start(path, tail) :].decode("utf-8", "replace")
        print_json({"job": job, "state": run.state.value, "path": str(path), "text": text})
    elif follow:
        _follow(run, sweep_dir, tail)
    else:
        path = _log(run)
        _copy(path, _start(path, tail), sys.stdout.buffer)


def _log(run: RunRecord) -> Path:
    """The job's output; where another launcher ran it, the log that Hydra keeps there."""
    path = log_of(run)
    if path.is_file():
        return path
    others = sorted(path.parent.glob("*.log"))
    if others:
        return others[0]
    todo = "it has not begun" if run.state is State.PENDING else "whoever ran the job kept no output"
    raise UsageError(f"job {run.job} ({run.state}) has no log", where=shown(path), todo=todo)


def _of_sweep(sweep_dir: Path, runs: Sequence[RunRecord], tail: int, as_json: bool) -> None:
    if any(run.state is State.RUNNING for run in runs):
        runs = standing_of(sweep_dir).status.runs  # tells jobs that run from those that are lost
    failed = [run for run in runs if run.state in FAILURES]
    if as_json:
        print_json({"path": str(sweep_dir), "failed": [_failure_json(run) for run in failed]})
        return
    for run in failed:
        click.echo(f"job {run.job}  {state_text(run.state)}  {reason_of(run)}  {shown(log_of(run))}")
    first = next((run for run in failed if log_of(run).is_file()), None)
    if first is not None and tail:
        path = log_of(first)
        click.echo(f"\nthe end of {shown(path)}:\n")
        _copy(path, _start(path, tail), sys.stdout.buffer)
    if not failed:
        numbers = f"{runs[0].job} to {runs[-1].job}" if runs else "none yet"
        click.echo(f"no job has failed; 'runyard logs {sweep_dir.name}/JOB' prints the output of one ({numbers})")


def _failure_json(run: RunRecord) -> dict[str, Any]:
    return {"job": run.job, "state": run.state.value, "reason": reason_of(run), "log": str(log_of(run))}


def _start(path: Path, tail: int | None) -> int:
    """Where the last ``tail`` lines begin. Reads no more from the end than it needs: a log can have gigabytes."""
    if tail is None:
        return 0
    with path.open("rb") as file:
        at = end = file.seek(0, os.SEEK_END)
        breaks = 0
        while at > 0:
            size = min(_BLOCK, at)
            at -= size
            file.seek(at)
            block = file.read(size)
            for offset in _breaks(block):
                if at + offset == end - 1:
                    continue  # the end of the last line begins no other
                breaks += 1
                if breaks == tail:
                    return at + offset + 1
            if tail == 0:
                return end
    return 0


def _breaks(block: bytes) -> Iterator[int]:
    """Places of line ends, from the last."""
    at = block.rfind(b"\n")
    while at >= 0:
        yield at
        at = block.rfind(b"\n", 0, at)


def _copy(path: Path, start: int, out: BinaryIO) -> int:
    """Copies from ``start`` to the end as it is now; returns where that was."""
    with path.open("rb") as file:
        at = file.seek(start)
        while block := file.read(_BLOCK):
            out.write(block)
            at += len(block)
    out.flush()
    return at


def _follow(run: RunRecord, sweep_dir: Path, tail: int | None) -> None:
    """Copies until the job has ended; begins anew when a new attempt does."""
    path, out = log_of(run), sys.stdout.buffer
    at: int | None = None
    has_ended = _on_cluster(run, sweep_dir) or (lambda: _has_ended(run, sweep_dir))
    while True:
        ended = has_ended()  # before the copy: what was written before the end is copied
        if path.is_file():
            if at is None:
                at = _start(path, tail)
            elif path.stat().st_size < at:
                at = 0
            at = _copy(path, at, out)
        if ended:
            break
        time.sleep(_POLL_S)
    if at is None:
        _copy(_log(run), 0, out)


def _on_cluster(run: RunRecord, sweep_dir: Path) -> Callable[[], bool] | None:
    """The same of a sweep on Slurm: a job that waits, or was given back, may still run while a worker is left."""
    from runyard.cluster import Observer, is_on_cluster  # loads Hydra

    if not is_on_cluster(sweep_dir):
        return None
    observer, looked_at, is_at_work = Observer(sweep_dir), 0.0, True

    def has_ended() -> bool:
        nonlocal looked_at, is_at_work
        now = read_run(Path(run.run_dir))
        if now is not None and now.state in TERMINAL and now.state not in (State.PREEMPTED, State.LOST):
            return True
        if time.monotonic() - looked_at >= _LOOK_S:
            looked_at, is_at_work = time.monotonic(), observer.look().is_at_work
        return not is_at_work

    return has_ended


def _has_ended(run: RunRecord, sweep_dir: Path) -> bool:
    """Whether nobody is at work on a job, nor will be as things stand."""
    if is_held(SweepPaths(sweep_dir).lock):
        now = read_run(Path(run.run_dir))
        return now is not None and now.state in TERMINAL
    now = read_run(Path(run.run_dir))
    if now is None or now.state is not State.RUNNING or not now.attempts:
        return True
    return is_alive(now.attempts[-1].pid, now.attempts[-1].host) is False
