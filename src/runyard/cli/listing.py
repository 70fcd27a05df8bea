"""``runyard ls``: all sweeps, newest first."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import click

from runyard.base import RecordError, State, SweepState, unknown_name, utc_now
from runyard.cli.options import json_option, print_json, reference_to, roots_option
from runyard.cli.stand import standing_of
from runyard.cli.words import age, count, state_text, table, terminal_width
from runyard.record import RootPaths, one_line
from runyard.registry import Condition, Registry, list_sweeps

_ON_A_TERMINAL = 20
_COLUMNS = ("EXPERIMENT", "ID", "STATE", "JOBS", "AGE", "NOTE")


@click.command()
@roots_option
@click.option("--experiment", "-e", help="Only sweeps of this experiment.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([s.value for s in SweepState], case_sensitive=False),
    help="Only sweeps in this state; can be repeated.",
)
@click.option(
    "--limit", "-n", type=click.IntRange(min=1), help="At most so many.  [default: 20 on a terminal, else all]"
)
@json_option
def ls(
    roots: tuple[Path, ...], experiment: str | None, states: tuple[str, ...], limit: int | None, as_json: bool
) -> None:
    """List sweeps, the newest first."""
    for root in roots:
        mend(root)
    rows = sorted((row for root in roots for row in list_sweeps(root)), key=_newest, reverse=True)
    known = {row["experiment"] for row in rows}
    if experiment is not None and rows and experiment not in known:
        raise unknown_name("experiment", experiment, known, where="--experiment")
    chosen = (_as_it_is(row) for row in rows if experiment in (None, row["experiment"]))
    found = (row for row in chosen if row is not None and (not states or row["state"] in states))
    width = terminal_width()
    most = limit or (_ON_A_TERMINAL if width and not as_json else None)
    shown = list(islice(found, most))
    if as_json:
        print_json(shown)
    elif not shown:
        click.echo(f"no sweep below {', '.join(map(str, roots))} that fits" if rows else _nothing(roots), err=True)
    else:
        _print(shown, width, roots)
        more = sum(1 for _ in found) if limit is None else 0
        if more:
            click.echo(f"... and {more} older: --limit N shows more")


def _newest(row: dict[str, Any]) -> tuple[str, str]:
    return (row["created_at"], row["sweep_id"])


def _nothing(roots: Sequence[Path]) -> str:
    places = ", ".join(map(str, roots))
    return f"no sweep below {places} yet; start one: python your_app.py -m +runyard=local x=1,2"


def mend(root: Path) -> None:
    """Makes a registry that cannot be relied upon again from the files; says so. The list is right without it."""
    registry = Registry(root)
    if not RootPaths(root).registry.parent.is_dir():
        return
    try:
        condition = registry.condition()
        if condition is not Condition.WHOLE:
            click.echo(f"the registry of {root} is {condition.value}: making it again from the files", err=True)
            click.echo(f"  {count(registry.reindex(), 'sweep')}", err=True)
    except (RecordError, OSError) as error:
        click.echo(f"{error}: reading the files instead", err=True)


def _as_it_is(row: dict[str, Any]) -> dict[str, Any] | None:
    """The row with its state and counts derived when the file says that something runs; None when it is gone."""
    if row["state"] != SweepState.RUNNING.value and not row["counts"].get(State.RUNNING.value):
        return row
    try:
        record = standing_of(Path(row["path"])).status.record
    except RecordError:
        return None
    counts = dict(record.counts)
    return {**row, "state": record.state.value, "counts": counts, "jobs": sum(counts.values())}


def _print(rows: Sequence[dict[str, Any]], width: int | None, roots: Sequence[Path]) -> None:
    now = utc_now()
    lines = [
        (
            one_line(row["experiment"]),
            row["sweep_id"],
            state_text(row["state"]),
            _jobs(row),
            age(row["created_at"], now),
            one_line(row["note"]),
        )
        for row in rows
    ]
    click.echo(table(_COLUMNS, lines, width=width, right=frozenset({4})))
    for row in rows:
        # an imported sweep has no command that could be run again
        if row["state"] == SweepState.LOST.value and not row["single"] and row["command"]:
            name = shlex.quote(reference_to(row["sweep_id"], Path(row["path"]), roots))
            click.echo(f"its controller is gone, to go on: runyard resume {name}")


def _jobs(row: dict[str, Any]) -> str:
    """``46/48, 2 failed``; a single run is ``single``."""
    if row["single"]:
        return "single"
    counts = row["counts"]
    rest = [f"{n} {s.lower()}" for s, n in counts.items() if n and s not in ("COMPLETED", "PENDING")]
    return ", ".join([f"{counts.get('COMPLETED', 0)}/{row['jobs']}", *rest])
