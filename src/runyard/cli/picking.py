"""``runyard best`` and ``runyard pivot``: which configuration is best, and a metric over two of the swept names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from runyard.base import UsageError
from runyard.cli.options import json_option, print_json, roots_option
from runyard.cli.summarizing import (
    allow_option,
    by_option,
    ci_option,
    csv_option,
    csv_text,
    mixtures_json,
    open_results,
    rows_of,
    stated,
    strict_option,
    tell_mixtures,
)
from runyard.cli.words import number, table

_STATED = frozenset({"rank", "metric", "n", "missing", "failed", "left_out", "mean", "std", "sem", "low", "high"})
_BEHIND = ("behind", "p_value", "test", "verdict", "mixed")


@click.command()
@click.argument("words", metavar="[SWEEP]... METRIC", nargs=-1, required=True)
@click.option("--max", "mode", flag_value="max", default="max", help="The highest mean is the best.  [default]")
@click.option("--min", "mode", flag_value="min", help="The lowest mean is the best.")
@by_option
@click.option("--limit", "-n", type=click.IntRange(min=1), default=5, show_default=True, help="At most so many.")
@ci_option
@strict_option
@allow_option
@csv_option
@roots_option
@json_option
def best(
    words: tuple[str, ...],
    mode: Any,
    by: tuple[str, ...],
    limit: int,
    ci: float,
    strict: bool,
    allow: tuple[str, ...],
    as_csv: bool,
    roots: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Rank combinations by the mean of a metric over seeds; tell which are not shown to be worse than the first."""
    *sweeps, metric = words
    found = open_results(sweeps, roots)
    frame = found.ranking(metric, mode, by=by or None, n=limit, ci=ci, strict=strict, allow=allow)
    rows = rows_of(frame)
    if as_json:
        print_json({"rows": rows, "mixtures": mixtures_json(found)})
    elif as_csv:
        click.echo(csv_text(rows, list(map(str, frame.columns))), nl=False)
        tell_mixtures(found, err=True)
    elif not rows:
        raise UsageError(f"no completed job has a finite value of {metric!r}", todo="'runyard results' shows the jobs")
    else:
        names = [name for name in map(str, frame.columns) if name not in (*_STATED, *_BEHIND)]
        over = [name.lstrip("+") for name in found.names if name not in frame.columns]
        first = f"{'highest' if mode == 'max' else 'lowest'} mean of {rows[0]['metric']} first"
        click.echo(first + (f"; averaged over {', '.join(over)}" if over else ""))
        click.echo(stated(rows, ["rank", *names], ci, ["behind", "p_value", "verdict"]))
        click.echo(_said(rows))
        tell_mixtures(found)


def _said(rows: Sequence[Mapping[str, Any]]) -> str:
    """What the ranking shows, in a sentence."""
    if len(rows) == 1:
        return "There is nothing to compare it with."
    verdict = rows[1]["verdict"]
    if verdict == "worse":
        return f"The second is worse ({rows[1]['test']}, p = {rows[1]['p_value']:.2g} after Holm's correction)."
    if verdict == "unknown":
        return "Whether the second is worse cannot be told: there are too few values, or they do not spread."
    noise = sum(row["verdict"] == "no difference shown" for row in rows)
    return (
        f"Within noise: {noise} of the {len(rows) - 1} others not shown to be worse."
        if noise
        else "The second is equal."
    )


@click.command()
@click.argument("words", metavar="[SWEEP]... METRIC", nargs=-1, required=True)
@click.option("--rows", "-r", multiple=True, required=True, metavar="NAME", help="What the rows are; can be repeated.")
@click.option(
    "--columns", "-c", multiple=True, required=True, metavar="NAME", help="What the columns are; can be repeated."
)
@strict_option
@allow_option
@csv_option
@roots_option
@json_option
def pivot(
    words: tuple[str, ...],
    rows: tuple[str, ...],
    columns: tuple[str, ...],
    strict: bool,
    allow: tuple[str, ...],
    as_csv: bool,
    roots: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Print the mean of a metric over two of the swept names."""
    *sweeps, metric = words
    found = open_results(sweeps, roots)
    if strict:
        found.refuse_mixtures(allow)
    cells = found.pivot(metric, rows, columns)
    across = [_label(column) for column in cells.columns]
    down = [str(name) for name in cells.index.names]
    whole = cells.set_axis(across, axis="columns").reset_index()
    lines = rows_of(whole)
    names = [*down, *across]
    if as_json:
        print_json({"metric": metric, "columns": list(map(str, cells.columns.names)), "rows": lines})
    elif as_csv:
        click.echo(csv_text(lines, names), nl=False)
        tell_mixtures(found, err=True)
    else:
        click.echo(f"mean of {metric}; columns: {', '.join(str(name).lstrip('+') for name in cells.columns.names)}")
        text = [[number(line[name]) for name in names] for line in lines]
        right = frozenset(range(len(down), len(names)))
        click.echo(table([name.lstrip("+") for name in down] + across, text, width=None, right=right))
        tell_mixtures(found)


def _label(column: Any) -> str:
    return " ".join(map(number, column)) if isinstance(column, tuple) else number(column)
