"""``runyard summary``: the mean of each metric with its spread and interval, and what it mixes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runyard.base import UsageError
from runyard.cli.options import json_option, print_json, roots_option
from runyard.cli.words import cells_wide, count, number, table, terminal_width
from runyard.record import LATEST

if TYPE_CHECKING:
    import pandas as pd

    from runyard.analyze import Results

_METRICS_ON_A_TERMINAL = 6
_ROWS_ON_A_TERMINAL = 40
_COUNTS = ("missing", "failed", "left_out")
_STATED = frozenset({"metric", "n", *_COUNTS, "mean", "std", "sem", "low", "high", "mixed", "successes", "trials"})

by_option = click.option(
    "--by", multiple=True, metavar="NAME", help="Group by this; can be repeated.  [default: all but seeds]"
)
ci_option = click.option("--ci", type=float, default=0.95, show_default=True, help="Confidence level of intervals.")
strict_option = click.option("--strict", is_flag=True, help="Refuse when runs are mixed.")
allow_option = click.option(
    "--allow", multiple=True, metavar="KIND", help="With --strict: let this kind of mixture pass; can be repeated."
)
csv_option = click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")


@click.command()
@click.argument("sweeps", metavar="[SWEEP]...", nargs=-1)
@click.option("--metric", "-m", "metrics", multiple=True, help="Only this metric; can be repeated.")
@by_option
@ci_option
@click.option(
    "--method", default="student", show_default=True, metavar="student|bootstrap", help="How intervals are made."
)
@click.option(
    "--proportion",
    "proportions",
    multiple=True,
    metavar="NAME=A:B",
    help="State the sum of metric A over that of metric B, with Wilson's interval; can be repeated.",
)
@strict_option
@allow_option
@csv_option
@roots_option
@json_option
def summary(
    sweeps: tuple[str, ...],
    metrics: tuple[str, ...],
    by: tuple[str, ...],
    ci: float,
    method: Any,
    proportions: tuple[str, ...],
    strict: bool,
    allow: tuple[str, ...],
    as_csv: bool,
    roots: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Print means over seeds with their intervals, a row per combination; several sweeps are put side by side.

    What the averaged runs do not have in common stands beside the numbers: commits, versions, hosts, missing seeds.
    """
    found = open_results(sweeps, roots)
    frame = found.summary(
        by or None,
        metrics=metrics or None,
        ci=ci,
        method=method,
        proportions=dict(map(_proportion, proportions)),
        strict=strict,
        allow=allow,
    )
    if as_json:
        print_json({"rows": rows_of(frame), "mixtures": mixtures_json(found)})
        return
    if as_csv:
        click.echo(csv_text(rows_of(frame), list(map(str, frame.columns))), nl=False)
        tell_mixtures(found, err=True)
        return
    _print(frame, ci, (*metrics, *proportions))
    tell_mixtures(found)


def _proportion(text: str) -> tuple[str, tuple[str, str]]:
    """The name and the two metrics of ``asr=successes:trials``."""
    name, _, counts = text.partition("=")
    successes, _, trials = counts.partition(":")
    if not (name and successes and trials):
        raise UsageError(f"no proportion: {text!r}", where="--proportion", todo="write it as asr=successes:trials")
    return name, (successes, trials)


def open_results(sweeps: Sequence[str], roots: Sequence[Path]) -> Results:
    """The results of the sweeps, or of the latest; what could not be read is said on standard error."""
    from runyard.analyze import load  # loads pandas

    found = load(list(sweeps) or LATEST, roots=roots)
    for problem in found.problems:
        click.echo(f"note: {problem}", err=True)
    return found


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows with values of Python's own; what is empty is None."""
    whole = frame.astype(object)
    records = whole.where(whole.notna(), None).to_dict("records")
    return [{str(name): _plain(value) for name, value in row.items()} for row in records]


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def csv_text(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """Rows as CSV, with cells as in results.csv."""
    from runyard.analyze import cell_text

    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([cell_text(row[name]) for name in names] for row in rows)
    return text.getvalue()


def mixtures_json(found: Results) -> list[dict[str, Any]]:
    """The mixtures as they are printed with ``--json``."""
    return [{"kind": m.kind, "sentence": m.sentence, "values": dict(m.values)} for m in found.mixtures]


def tell_mixtures(found: Results, *, err: bool = False) -> None:
    """Prints a line for each mixture."""
    for mixture in found.mixtures:
        click.echo(f"{click.style('mixed', fg='yellow')} ({mixture.kind}): {mixture.sentence}", err=err)


def _print(frame: pd.DataFrame, ci: float, asked: Sequence[str]) -> None:
    """A table for each metric; on a terminal the first of them."""
    rows = rows_of(frame)
    metrics = list(dict.fromkeys(row["metric"] for row in rows))
    on_a_terminal = terminal_width() is not None
    shown = metrics[:_METRICS_ON_A_TERMINAL] if on_a_terminal and not asked else metrics
    names = [name for name in map(str, frame.columns) if name not in _STATED]
    for metric in shown:
        group = [row for row in rows if row["metric"] == metric]
        click.echo(click.style(metric, bold=True))
        click.echo(stated(group[:_ROWS_ON_A_TERMINAL] if on_a_terminal else group, names, ci))
        if on_a_terminal and len(group) > _ROWS_ON_A_TERMINAL:
            click.echo(f"{count(len(group) - _ROWS_ON_A_TERMINAL, 'more row')}: --by NAME, --csv")
        click.echo()
    if len(shown) < len(metrics):
        click.echo(f"{count(len(metrics) - len(shown), 'more metric')}: --metric NAME, --csv")
    if not metrics:
        click.echo("no completed job has reported a metric")


def stated(rows: Sequence[Mapping[str, Any]], names: Sequence[str], ci: float, more: Sequence[str] = ()) -> str:
    """The lines of a table of means: names, n, mean, interval, spread; counts and kinds where there are any."""
    pooled = [name for name in ("successes", "trials") if any(row.get(name) is not None for row in rows)]
    counts = [*(name for name in _COUNTS if any(row[name] for row in rows)), *pooled]
    mixed = ["mixed"] if any(row["mixed"] for row in rows) else []
    header = [*_headers(names, short=False), "n", "mean", f"{100 * ci:g} % interval", "std", *counts, *more, *mixed]
    lines = [
        [
            *(number(row[name]) for name in names),
            str(row["n"]),
            number(row["mean"]),
            interval_text(row),
            number(row["std"]),
            *(number(row[name]) for name in counts),
            *(_p_text(row[name]) if name == "p_value" else number(row[name]) for name in more),
            *(row["mixed"] or "" for _ in mixed),
        ]
        for row in rows
    ]
    texts = {at for at, name in enumerate(names) if any(isinstance(row[name], str) for row in rows)}
    left = {*texts, *(at for at, name in enumerate(header) if name in ("mixed", "verdict", "test"))}
    right = frozenset(range(len(header))) - left
    text = table(header, lines, width=None, right=right)
    width = terminal_width()
    if width is None or cells_wide(text.partition("\n")[0]) <= width:
        return text
    return table([*_headers(names, short=True), *header[len(names) :]], lines, width=None, right=right)


def interval_text(row: Mapping[str, Any]) -> str:
    """``[0.61, 0.74]``, or a dash when there is none."""
    return "-" if row["low"] is None else f"[{number(row['low'])}, {number(row['high'])}]"


def _p_text(p_value: float | None) -> str:
    return "-" if p_value is None else f"{p_value:.2g}"


def _headers(names: Sequence[str], *, short: bool) -> list[str]:
    """The names without a leading ``+``; shortened to the last part where that tells them apart."""
    last = [name.rpartition(".")[2].lstrip("+") for name in names]
    if not short:
        return [name.lstrip("+") for name in names]
    return [part if last.count(part) == 1 else name for name, part in zip(names, last, strict=True)]
