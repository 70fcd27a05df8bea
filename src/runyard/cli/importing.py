"""``runyard import``: takes sweeps that plain Hydra made into the registry."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runyard.base import UsageError
from runyard.cli.options import json_option, print_json
from runyard.cli.words import count, counts_text
from runyard.record import shown
from runyard.registry import DEFAULT_ROOTS

if TYPE_CHECKING:
    from runyard.lifecycle.importing import ImportedSweep


_HINT = (
    "LOST: nothing shows what became of the job. If the jobs left a file with their results, name it, such as: "
    "--metrics metrics.json"
)


@click.command("import")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--experiment", "-e", help="What they are sweeps of.  [default: the application's name]")
@click.option(
    "--metrics",
    "-m",
    multiple=True,
    help="A file that each job has left, relative to its directory, with its metrics: JSON, JSON lines, CSV or YAML; "
    "can be repeated. A job that has it counts as COMPLETED.",
)
@click.option("--dry-run", is_flag=True, help="Only tell what would be done.")
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    help="Whose registry is to know them.  [default: ./multirun or ./outputs if DIR lies there, else ./multirun]",
)
@json_option
def import_sweeps(
    folder: Path, experiment: str | None, metrics: tuple[str, ...], dry_run: bool, root: Path | None, as_json: bool
) -> None:
    """Give records to the sweeps of plain Hydra in DIR, so that ls, show, results and query know them.

    Adds sweep.json, plan.csv and a run.json for each job; no file that is there is changed. What Hydra's files do not
    tell is left unknown. A job is COMPLETED only where a metrics file or Hydra's log shows it, else LOST. Can be
    called again.
    """
    from runyard.lifecycle.importing import import_trees  # loads Hydra

    if not folder.is_dir():
        raise UsageError(f"no directory {folder}", todo="name the folder that holds the sweeps, such as multirun")
    place = root or _root_for(folder)
    done = import_trees(folder, place, experiment=experiment, metrics=metrics, dry_run=dry_run)
    if as_json:
        print_json([{**dataclasses.asdict(one), "dir": str(one.dir.absolute())} for one in done])
    else:
        _tell(done, place, dry_run=dry_run)
        if not metrics and any(set(one.counts) == {"LOST"} for one in done):
            click.echo(_HINT)
    if all(one.action == "refused" for one in done):
        click.get_current_context().exit(1)


def _tell(done: Sequence[ImportedSweep], root: Path, *, dry_run: bool) -> None:
    for one in done:
        what = f"would be {one.action}" if dry_run and one.action in ("new", "changed") else one.action
        if one.action == "refused":
            click.echo(f"left out   {shown(one.dir)}: {one.reason}", err=True)
            continue
        click.echo(f"{what:<9}  {one.sweep_id}  {one.experiment}  {counts_text(one.counts)}  {shown(one.dir)}")
        for problem in one.problems:
            click.echo(f"  {problem}", err=True)
    taken = [one for one in done if one.action != "refused"]
    if taken and not dry_run:
        click.echo(f"{count(len(taken), 'sweep')} of Hydra in the registry of {shown(root)}")


def _root_for(folder: Path) -> Path:
    inside = (root for root in DEFAULT_ROOTS if folder.resolve().is_relative_to(root.resolve()))
    return next(inside, DEFAULT_ROOTS[0])
