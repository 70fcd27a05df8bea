"""``runyard reproduce``: one job again, from its snapshot, and how it compares."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
from pathlib import Path

import click

from runyard.base import RunyardError, UsageError, utc_now
from runyard.cli.options import find_target, roots_option, run_of
from runyard.cli.words import number, state_text, table
from runyard.record import read_runs, shown


@click.command()
@click.argument("job", metavar="SWEEP/JOB", default="latest")
@click.option("--to", "folder", type=click.Path(path_type=Path), help="The folder that it runs in.")
@click.option("--current-code", is_flag=True, help="Run the code as it is now, not the frozen one.")
@roots_option
def reproduce(job: str, folder: Path | None, current_code: bool, roots: tuple[Path, ...]) -> None:
    """Run one job of a sweep again, with its frozen config and code, in a folder of its own.

    Exit code 0: it completed with the same metrics, to the last digit. 1: it did not.
    """
    from runyard.cluster import compared, reproduce_command  # loads Hydra

    sweep_dir, named = find_target(job, roots)
    if named is None:
        raise UsageError("no job is named", where=job, todo="write SWEEP/JOB, such as latest/3")
    recorded = run_of(read_runs(sweep_dir), named, sweep_dir)
    place = (folder or _new_folder(f"{sweep_dir.name}-{named}-{utc_now():%Y%m%dT%H%M%SZ}")).absolute()
    try:
        argv, environment, cwd = reproduce_command(sweep_dir, named, place, current_code=current_code)
    except RunyardError:
        if folder is None:
            place.rmdir()
        raise
    subprocess.run(argv, env=environment, cwd=cwd, check=False)
    found = compared(sweep_dir, named, place)
    again = {} if found.again is None else found.again.metrics
    names = [*recorded.metrics, *(name for name in again if name not in recorded.metrics)]
    rows = [[name, number(recorded.metrics.get(name)), number(again.get(name))] for name in names]
    state = state_text(found.again.state) if found.again is not None else "no record"
    click.echo(f"job {named} of {recorded.sweep_id}: {state_text(recorded.state)}, and again {state}")
    if rows:
        click.echo(table(["metric", "recorded", "again"], rows, width=None, right=frozenset({1, 2})))
    click.echo(f"  {'equal' if found.is_equal else 'not equal'}; it ran in {shown(place)}")
    click.get_current_context().exit(0 if found.is_equal else 1)


def _new_folder(name: str) -> Path:
    """A folder that nobody else has: of several within a second the later ones get a number. It is made."""
    above = Path("outputs", "reproduced")
    above.mkdir(parents=True, exist_ok=True)
    for count in itertools.count(1):
        place = above / (name if count == 1 else f"{name}-{count}")
        with contextlib.suppress(FileExistsError):
            place.mkdir()
            break
    return place
