"""``runyard query``: the runs of all sweeps for which a condition holds."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from runyard.base import finite_json
from runyard.cli.listing import mend
from runyard.cli.options import json_option, print_json, roots_option
from runyard.cli.words import cells_wide, count, number, state_text, table, terminal_width
from runyard.registry import FoundRuns, check_names, find_runs, names_in

_ON_A_TERMINAL = 20
_ALL = (
    "sweep_id", "experiment", "job", "state", "seconds", "host", "git_sha", "created_at", "tags", "launcher", "note",
    "run_key", "run_dir",
)  # fmt: skip
_ALWAYS = ("sweep_id", "job", "experiment", "state")
_FOLDERS = ("run_dir", "sweep_dir")


@click.command()
@click.argument("condition", required=False)
@click.option("--columns", "-c", help="Names to show, with commas between: job,params.lr,metrics.acc.")
@click.option("--sort", "-s", help="Order by a name, -NAME for the largest first; default: the newest sweep first.")
@click.option("--limit", "-n", type=click.IntRange(min=1), help="At most so many.  [default: 20 on a terminal]")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@json_option
@roots_option
def query(
    condition: str | None,
    columns: str | None,
    sort: str | None,
    limit: int | None,
    as_csv: bool,
    as_json: bool,
    roots: tuple[Path, ...],
) -> None:
    """Find runs over all sweeps, such as: runyard query "metrics.acc > 0.9 and params.lr in (0.1, 1)".

    CONDITION compares metrics.NAME, params.NAME, state, experiment, sweep_id, job, seconds, git_sha, host, tags,
    created_at, launcher, note and run_key with values; without it all runs are meant. A run that lacks what is asked
    for is not found.
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other")
    for root in roots:
        mend(root)
    width = terminal_width()
    most = limit or (_ON_A_TERMINAL if width and not (as_csv or as_json) else None)
    found = find_runs(roots, condition, sort=sort, limit=most)
    chosen = [name.strip() for name in columns.split(",") if name.strip()] if columns else []
    check_names(found.known, [name for name in chosen if name not in _FOLDERS], where="--columns")
    if as_json:
        print_json([{name: _value(row, name) for name in chosen} for row in found.rows] if chosen else found.rows)
    elif as_csv:
        click.echo(_csv(found, chosen or [*_ALL, *_named(found.rows)]), nl=False)
    elif not found.rows:
        click.echo(f"no run below {', '.join(map(str, roots))} that fits", err=True)
    else:
        _print(found, chosen, [name for name in names_in(condition, sort) if name not in _ALWAYS], width)


def _print(found: FoundRuns, chosen: Sequence[str], asked: Sequence[str], width: int | None) -> None:
    """A table; columns that were not chosen or asked for are there as far as the terminal is wide."""
    rows = found.rows
    columns = {name.upper() if "." not in name else name: [_cell(row, name) for row in rows] for name in chosen}
    if not chosen:
        columns = {
            "RUN": [f"{row['sweep_id']}/{row['job']}" for row in rows],
            "EXPERIMENT": [str(row["experiment"]) for row in rows],
            "STATE": [state_text(row["state"]) for row in rows],
        }
        columns |= {name: [_cell(row, name) for row in rows] for name in asked}
        more = [name for name in [*_named(rows), "seconds"] if name not in asked]
        more = [name for name in more if any(_value(row, name) is not None for row in rows)]
        for name in more:
            cells = [_cell(row, name) for row in rows]
            if width is None or _wide({**columns, name: cells}) <= width:
                columns[name] = cells
    header, lines = list(columns), list(zip(*columns.values(), strict=True))
    right = frozenset(n for n, name in enumerate(header) if _is_numeric(rows, name))
    click.echo(table(header, lines, width=width, right=right))
    if found.total > len(rows):
        click.echo(f"... and {count(found.total - len(rows), 'more run')}: --limit N shows more")


def _wide(columns: dict[str, list[str]]) -> int:
    return sum(max(map(cells_wide, [name, *cells])) + 2 for name, cells in columns.items()) - 2


def _is_numeric(rows: Sequence[dict[str, Any]], name: str) -> bool:
    values = [value for row in rows if (value := _value(row, name.lower() if "." not in name else name)) is not None]
    return bool(values) and all(isinstance(value, (int, float)) for value in values)


def _named(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Parameters, then metrics, that any of the runs has, in the order in which they come."""
    return [
        name for kind in ("params", "metrics") for name in dict.fromkeys(f"{kind}.{n}" for r in rows for n in r[kind])
    ]


def _value(row: dict[str, Any], name: str) -> Any:
    kind, _, rest = name.partition(".")
    return row[kind].get(rest) if kind in ("params", "metrics") else row.get(name)


def _cell(row: dict[str, Any], name: str) -> str:
    value = _value(row, name)
    if name == "state":
        return state_text(value)
    return number(";".join(value) if name == "tags" else value)


def _csv(found: FoundRuns, names: Sequence[str]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in found.rows:
        writer.writerow([_plain(row, name) for name in names])
    return text.getvalue()


def _plain(row: dict[str, Any], name: str) -> Any:
    """A cell of CSV: nothing for what is missing, JSON for a list."""
    value = finite_json(_value(row, name))
    if name == "tags":
        return ";".join(value)
    return json.dumps(value) if isinstance(value, (list, dict, bool)) else value
