"""``runyard results``: the results of a sweep as a table, also while it runs."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runyard.base import State, unknown_name
from runyard.cli.options import json_option, print_json, roots_option, sweep_argument
from runyard.cli.words import cells_wide, count, number, state_text, table, terminal_width
from runyard.registry import find_sweep

if TYPE_CHECKING:
    from runyard.analyze import Cell, Columns, LoadedSweep

_ON_A_TERMINAL = 50


@click.command()
@sweep_argument
@click.option("--metric", "-m", "metrics", multiple=True, help="Only this metric; can be repeated.")
@click.option("--sort", help="Order by this column, the lowest first; jobs without it come last.")
@click.option("--desc", is_flag=True, help="With --sort: the highest first.")
@click.option(
    "--limit", "-n", type=click.IntRange(min=1), help="At most so many.  [default: 50 on a terminal, else all]"
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with the columns of results.csv.")
@roots_option
@json_option
def results(
    sweep: str,
    metrics: tuple[str, ...],
    sort: str | None,
    desc: bool,
    limit: int | None,
    as_csv: bool,
    roots: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Print results, a row per job; works while the sweep runs."""
    sweep_dir = find_sweep(sweep, roots)
    from runyard.analyze import cell_text, load_sweep  # loads pandas

    loaded = load_sweep(sweep_dir)
    for problem in loaded.problems:
        click.echo(f"note: {problem}", err=True)
    columns = chosen_columns(loaded, metrics)
    order = ordered(columns, sort, desc)
    if as_json:
        print_json([{name: columns[name][n] for name in columns} for n in order[:limit]])
    elif as_csv:
        rows = [[cell_text(columns[name][n]) for name in columns] for n in order[:limit]]
        click.echo(_csv([list(columns), *rows]), nl=False)
    else:
        _print(loaded, columns, order, limit)


def chosen_columns(loaded: LoadedSweep, metrics: Sequence[str]) -> Columns:
    """The columns of the results without the metrics that were not asked for.

    Raises:
        UsageError: a metric is not known.
    """
    for name in metrics:
        if name not in loaded.metrics:
            raise unknown_name("metric", name, loaded.metrics, where="--metric")
    left_out = set(loaded.metrics) - set(metrics) if metrics else set()
    return {name: cells for name, cells in loaded.table.columns.items() if name not in left_out}


def ordered(columns: Columns, sort: str | None, desc: bool) -> list[int]:
    """Numbers of the rows in the order of a column: numbers by size, then text; rows without a value last.

    Raises:
        UsageError: there is no such column.
    """
    rows = list(range(len(columns["job"])))
    if sort is None:
        return rows[::-1] if desc else rows
    if sort not in columns:
        raise unknown_name("column", sort, columns, where="--sort")
    cells = columns[sort]
    empty = [n for n in rows if _is_empty(cells[n])]
    full = [n for n in rows if not _is_empty(cells[n])]
    return sorted(full, key=lambda n: _rank(cells[n]), reverse=desc) + empty


def _is_empty(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def _rank(cell: Cell) -> tuple[int, float, str]:
    return (0, float(cell), "") if isinstance(cell, (int, float)) else (1, 0.0, str(cell))


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _print(loaded: LoadedSweep, columns: Columns, order: Sequence[int], limit: int | None) -> None:
    """The table for people: swept values, metrics and seconds; on a terminal as much as fits."""
    width = terminal_width()
    rows = order[: limit or (_ON_A_TERMINAL if width else None)]
    names = ["job", "state", *loaded.names, *(name for name in loaded.metrics if name in columns), "seconds"]
    cells = {name: [_cell(name, columns[name][n]) for n in rows] for name in names}
    header = {name: name for name in names}
    if width is not None:
        header = _short(names) if _wide(cells, header) > width else header
        names = _that_fit(cells, header, width, loaded.metrics)
    right = frozenset(n for n, name in enumerate(names) if _is_number(columns[name]))
    lines = [[cells[name][n] for name in names] for n in range(len(rows))]
    click.echo(table([header[name] for name in names], lines, width=None, right=right))
    hidden = [name for name in cells if name not in names]
    if hidden:
        names_text = ", ".join(hidden[:6]) + (", ..." if len(hidden) > 6 else "")
        click.echo(f"{count(len(hidden), 'more column')} ({names_text}): --metric NAME, --csv")
    if len(rows) < len(order) and limit is None:
        click.echo(f"{len(order) - len(rows)} more jobs: --limit N, --csv")
    waiting = sum(cell in (State.PENDING.value, State.RUNNING.value) for cell in columns["state"])
    if waiting:
        click.echo(f"{waiting} of {len(order)} jobs have not ended")


def _cell(name: str, cell: Cell) -> str:
    if name == "state":
        return state_text(str(cell))
    return f"{cell:.1f}" if name == "seconds" and isinstance(cell, float) else number(cell)


def _is_number(cells: Sequence[Cell]) -> bool:
    return all(cell is None or isinstance(cell, (int, float)) for cell in cells)


def _short(names: Sequence[str]) -> dict[str, str]:
    """The last part of dotted names where that tells them apart."""
    last = [name.rpartition(".")[2] for name in names]
    return {name: short if last.count(short) == 1 else name for name, short in zip(names, last, strict=True)}


def _wide(cells: Mapping[str, Sequence[str]], header: Mapping[str, str]) -> int:
    return sum(max(map(cells_wide, (header[name], *cells[name]))) + 2 for name in cells) - 2


def _that_fit(
    cells: Mapping[str, Sequence[str]], header: Mapping[str, str], width: int, metrics: Sequence[str]
) -> list[str]:
    """The columns without as many of the last metrics as must go; two metrics stay however narrow it is."""
    kept = list(cells)
    for name in ["seconds", *reversed(metrics[2:])]:
        if _wide({n: cells[n] for n in kept}, header) <= width:
            break
        if name in kept:
            kept.remove(name)
    return kept
