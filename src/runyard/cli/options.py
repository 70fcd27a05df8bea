"""Arguments and options that commands have in common, and what they mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from runyard.base import UsageError, finite_json
from runyard.record import LATEST, RUN_FILE, SWEEP_FILE, RunRecord, read_run, shown
from runyard.registry import DEFAULT_ROOTS, find_sweep, list_sweeps, root_of

F = TypeVar("F", bound=Callable[..., Any])

#: a number with fewer digits is a job's; with more it is the beginning of an id, which starts with a date.
_DATE_DIGITS = 8
_RUN_DEPTH = 6


def _roots(ctx: click.Context, param: click.Parameter, value: tuple[Path, ...]) -> tuple[Path, ...]:
    for root in value:
        if not root.is_dir():
            raise UsageError(f"no directory {root}", where="--root", todo="name the directory that holds the sweeps")
    return value or DEFAULT_ROOTS


roots_option: Callable[[F], F] = click.option(
    "--root",
    "roots",
    multiple=True,
    type=click.Path(path_type=Path),
    callback=_roots,
    help="Where sweeps lie; can be repeated.  [default: ./multirun and ./outputs]",
)
json_option: Callable[[F], F] = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
sweep_argument: Callable[[F], F] = click.argument("sweep", default=LATEST)


def print_json(value: Any) -> None:
    """Prints a value as JSON; NaN and infinities as strings."""
    click.echo(json.dumps(finite_json(value), indent=2, ensure_ascii=False))


def find_target(reference: str, roots: Sequence[Path]) -> tuple[Path, int | None]:
    """The sweep, and the job's number if one is named: ``SWEEP``, ``SWEEP/JOB``, ``JOB`` (of the latest), a path.

    Raises:
        UsageError: there is no such sweep.
    """
    by_path = _run_path(Path(reference))
    if by_path is not None:
        return by_path
    if _is_job(reference) and not Path(reference, SWEEP_FILE).is_file():
        return find_sweep(LATEST, roots), int(reference)
    head, _, tail = reference.rpartition("/")
    if not head or not _is_job(tail) or Path(reference, SWEEP_FILE).is_file():
        return find_sweep(reference, roots), None
    try:
        return find_sweep(head, roots), int(tail)
    except UsageError:
        if any(row["path"].endswith(f"/{tail}") for root in roots for row in list_sweeps(root)):
            return find_sweep(reference, roots), None
        raise


def _is_job(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < _DATE_DIGITS


def _run_path(path: Path) -> tuple[Path, int] | None:
    """Sweep and job when ``path`` is the directory of a run inside a sweep, or its ``run.json``."""
    folder = path.parent if path.name == RUN_FILE else path
    if not (folder / RUN_FILE).is_file() or (folder / SWEEP_FILE).is_file():
        return None
    run = read_run(folder)
    above = folder.absolute().parents[:_RUN_DEPTH]
    sweep_dir = next((parent for parent in above if (parent / SWEEP_FILE).is_file()), None)
    return (sweep_dir, run.job) if run is not None and sweep_dir is not None else None


def run_of(runs: Sequence[RunRecord], job: int, sweep_dir: Path) -> RunRecord:
    """The run of a job.

    Raises:
        UsageError: the sweep has no such job.
    """
    for run in runs:
        if run.job == job:
            return run
    numbers = f"its jobs are {runs[0].job} to {runs[-1].job}" if runs else "it has none yet"
    raise UsageError(f"no job {job} in this sweep", where=str(sweep_dir), todo=numbers)


def reference_to(sweep_id: str, sweep_dir: Path, roots: Sequence[Path]) -> str:
    """How to name a sweep in a command that the user is told to type here: by id, or by path if it must be."""
    return sweep_id if tuple(roots) == DEFAULT_ROOTS and root_of(sweep_dir, roots) else shown(sweep_dir)
