"""``runyard wait`` and ``runyard watch``: until a sweep has ended, wherever it runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NoReturn

import click

from runyard.base import State
from runyard.cli.options import roots_option, sweep_argument
from runyard.cli.words import counts_text, state_text
from runyard.record import SweepPaths, shown
from runyard.registry import find_sweep, root_of

_ALL_COMPLETED, _NOT_ALL, _TIMED_OUT = 0, 1, 2
_EVERY_S = 1.0


@click.command()
@sweep_argument
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Wait no longer than this.")
@roots_option
def wait(sweep: str, timeout: float | None, roots: tuple[Path, ...]) -> None:
    """Wait until a sweep has ended, and make its tables and figure where nobody has.

    Exit code 0: every job is COMPLETED. 1: some are not. 2: the time ran out.
    """
    sweep_dir = find_sweep(sweep, roots, multirun_only=True)
    _end(_wait(sweep_dir, roots, timeout_s=timeout, display="none"), sweep_dir)


@click.command()
@sweep_argument
@roots_option
def watch(sweep: str, roots: tuple[Path, ...]) -> None:
    """Show how a sweep goes on, until it has ended. Ctrl-C leaves it and ends nothing."""
    sweep_dir = find_sweep(sweep, roots, multirun_only=True)
    _end(_wait(sweep_dir, roots, timeout_s=None, display="auto"), sweep_dir)


def _wait(sweep_dir: Path, roots: tuple[Path, ...], *, timeout_s: float | None, display: str) -> int:
    from runyard.cluster import Observer, is_on_cluster, wait_for  # loads Hydra

    if is_on_cluster(sweep_dir):
        standing = wait_for(sweep_dir, root_of(sweep_dir, roots), timeout_s=timeout_s, display=display)
        if standing is None:
            return _TIMED_OUT
        runs = Observer(sweep_dir, least_s=0.0).look().status.runs
        return _ALL_COMPLETED if all(run.state is State.COMPLETED for run in runs) else _NOT_ALL
    return _wait_here(sweep_dir, timeout_s)


def _wait_here(sweep_dir: Path, timeout_s: float | None) -> int:
    """Of a sweep on this machine: its controller shows it already."""
    from runyard.orchestrate import status

    until = None if timeout_s is None else time.monotonic() + timeout_s
    while (now := status(sweep_dir)).controller is not None:
        if until is not None and time.monotonic() >= until:
            return _TIMED_OUT
        time.sleep(_EVERY_S if until is None else min(_EVERY_S, max(0.0, until - time.monotonic())))
    return _ALL_COMPLETED if all(run.state is State.COMPLETED for run in now.runs) else _NOT_ALL


def _end(code: int, sweep_dir: Path) -> NoReturn:
    """Says how it stands, and ends with the code."""
    from runyard.cli.stand import standing_of

    record = standing_of(sweep_dir).status.record
    click.echo(f"{record.sweep_id}  {state_text(record.state)}  {counts_text(record.counts)}")
    results = SweepPaths(sweep_dir).results_csv
    if results.exists() and code != _TIMED_OUT:
        click.echo(f"  results: {shown(results)}")
    click.get_current_context().exit(code)
