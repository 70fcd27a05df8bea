"""``runyard resume``, ``retry``, ``cancel``, ``collect`` and ``reindex``: one call each."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from runyard.base import UsageError
from runyard.cli.options import (
    find_target,
    json_option,
    print_json,
    reference_to,
    roots_option,
    sweep_argument,
)
from runyard.cli.words import count, counts_text, state_text
from runyard.record import LATEST, SWEEP_FILE, SweepPaths, shown
from runyard.registry import Registry, find_sweep, root_of, unreadable_sweeps

if TYPE_CHECKING:
    from runyard.orchestrate import Selection

_launcher = click.option(
    "--launcher", type=click.Choice(["local"]), help="Run on this machine what was submitted to Slurm."
)
_words = click.argument("words", metavar="[SWEEP] [hydra.launcher.KEY=VALUE]...", nargs=-1)


@click.command()
@_words
@_launcher
@roots_option
def resume(words: tuple[str, ...], launcher: str | None, roots: tuple[Path, ...]) -> None:
    """Run every job of a sweep that is not COMPLETED, in the same directory, with the configs of its submission.

    A sweep on Slurm is queued again, from its frozen code. Settings of the launcher may follow, such as
    hydra.launcher.n_jobs=4; what the jobs compute cannot change.
    """
    from runyard.orchestrate import Selection  # loads Hydra

    sweep_dir, overrides = _sweep_and_overrides(words, roots)
    _start(sweep_dir, Selection(kind="left"), overrides, launcher, roots)


@click.command()
@_words
@click.option("--jobs", help="Only these jobs, if they are not COMPLETED: numbers and ranges, such as 0-3,7.")
@_launcher
@roots_option
def retry(words: tuple[str, ...], jobs: str | None, launcher: str | None, roots: tuple[Path, ...]) -> None:
    """Run the failed jobs of a sweep again; with --jobs those, whatever kept them from completing.

    Settings of the launcher may follow, such as hydra.launcher.timeout_min=60.
    """
    from runyard.orchestrate import Selection, parse_jobs  # loads Hydra

    chosen = None if jobs is None else parse_jobs(jobs)
    sweep_dir, overrides = _sweep_and_overrides(words, roots)
    _start(sweep_dir, Selection(kind="failed" if chosen is None else "jobs", jobs=chosen), overrides, launcher, roots)


def _sweep_and_overrides(words: Sequence[str], roots: Sequence[Path]) -> tuple[Path, list[str]]:
    """The sweep is the first word unless that is an override; by default the latest multirun."""
    named = bool(words) and ("=" not in words[0] or Path(words[0], SWEEP_FILE).is_file())
    overrides = list(words[1:] if named else words)
    for word in overrides:
        if "=" not in word:
            raise UsageError(
                f"{word!r} is neither a sweep nor a setting", todo="one SWEEP, then hydra.launcher.KEY=VALUE"
            )
    return find_sweep(words[0] if named else LATEST, roots, multirun_only=True), overrides


def _start(
    sweep_dir: Path, select: Selection, overrides: Sequence[str], launcher: str | None, roots: Sequence[Path]
) -> None:
    """Queues the jobs again, or becomes the process that runs them here."""
    from runyard.cluster import is_on_cluster

    if not is_on_cluster(sweep_dir):
        _run_here(sweep_dir, select, overrides)
    elif launcher is None:
        _queue(sweep_dir, select, overrides, roots)
    else:
        from runyard.cluster import local_command

        _become(*local_command(sweep_dir, root_of(sweep_dir, roots), select, overrides))


def _queue(sweep_dir: Path, select: Selection, overrides: Sequence[str], roots: Sequence[Path]) -> None:
    from runyard.cluster import changes_of, resubmit, submitted_lines

    work = resubmit(sweep_dir, root_of(sweep_dir, roots), select, changes_of(overrides))
    if work is None:
        click.echo("nothing is left to run", err=True)
        return
    name = reference_to(sweep_dir.name, sweep_dir, roots)
    for line in submitted_lines(sweep_dir.name, name, work):
        click.echo(line)


def _run_here(sweep_dir: Path, select: Selection, overrides: Sequence[str]) -> NoReturn:
    from runyard.orchestrate import resume_command

    _become(*resume_command(sweep_dir, select=select, overrides=overrides))


def _become(argv: Sequence[str], environment: Mapping[str, str], cwd: str) -> NoReturn:
    """Becomes the process that runs the jobs: it has this terminal, and its exit code is the command's."""
    click.echo(f"cd {shlex.quote(cwd)} && {shlex.join(argv)}", err=True)
    if not Path(cwd).is_dir():
        raise UsageError(
            "the directory that the sweep was started in is gone", where=cwd, todo="make it again, with the application"
        )
    sys.stdout.flush()
    sys.stderr.flush()
    os.chdir(cwd)
    os.execvpe(argv[0], list(argv), environment)


@click.command()
@sweep_argument
@click.option("--jobs", help="Only these jobs, of a sweep on Slurm: numbers and ranges, such as 0-3,7.")
@roots_option
def cancel(sweep: str, jobs: str | None, roots: tuple[Path, ...]) -> None:
    """Stop a sweep: on this machine as Ctrl-C in its terminal would, on Slurm by cancelling its workers."""
    from runyard.cluster import cancel_cluster, cancel_jobs, is_on_cluster  # loads Hydra
    from runyard.orchestrate import cancel as cancel_sweep
    from runyard.orchestrate import parse_jobs

    sweep_dir = find_sweep(sweep, roots, multirun_only=True)
    if not is_on_cluster(sweep_dir):
        if jobs is not None:
            raise UsageError(
                "single jobs can be cancelled on Slurm only", where="--jobs", todo="stop the sweep without it"
            )
        click.echo(cancel_sweep(sweep_dir))
    elif jobs is None:
        click.echo(cancel_cluster(sweep_dir))
    else:
        click.echo(cancel_jobs(sweep_dir, parse_jobs(jobs)))


@click.command()
@sweep_argument
@roots_option
def collect(sweep: str, roots: tuple[Path, ...]) -> None:
    """Make a sweep's tables, figure, notes and places in the registry from what is on disk.

    For a sweep whose launcher died, or that ended without its last step. Runs nothing.
    """
    from runyard.cluster import collect_cluster, is_on_cluster  # loads Hydra
    from runyard.orchestrate import collect as collect_sweep

    sweep_dir, _ = find_target(sweep, roots)
    root = root_of(sweep_dir, roots)
    record = collect_cluster(sweep_dir, root) if is_on_cluster(sweep_dir) else collect_sweep(sweep_dir, root)
    counts = counts_text(record.counts) if record.counts else "no jobs"
    click.echo(f"{record.sweep_id}  {state_text(record.state)}  {counts}")
    results = SweepPaths(sweep_dir).results_csv
    if results.exists():
        click.echo(f"  results: {shown(results)}")


@click.command()
@click.option("--full", is_flag=True, help="Read every file.  [default: what has changed]")
@roots_option
@json_option
def reindex(full: bool, roots: tuple[Path, ...], as_json: bool) -> None:
    """Make the registry again from the files."""
    present = [root for root in roots if root.is_dir()]
    if not present:
        raise UsageError(
            "there is nothing to index", where=", ".join(map(str, roots)), todo="name the place with --root PATH"
        )
    found = {str(root): Registry(root).reindex(full=full) for root in present}
    for root in present:
        for problem in unreadable_sweeps(root):
            click.echo(f"left out: {problem}", err=True)
    if as_json:
        print_json([{"root": root, "sweeps": sweeps} for root, sweeps in found.items()])
        return
    for name, sweeps in found.items():
        click.echo(f"{name}: {count(sweeps, 'sweep')}")
