"""``runyard compare`` and ``runyard diff``: what differs between sweeps, runs, commits, and by how much."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runyard.base import UsageError
from runyard.cli.options import find_target, json_option, print_json, roots_option, run_of
from runyard.cli.words import cut, number, table, terminal_width
from runyard.record import read_runs, shown
from runyard.registry import list_sweeps

if TYPE_CHECKING:
    from runyard.compare import Comparison, Contrast, Fact, Side

_PER_KIND = 12
_NARROWEST = 24
_EXPERIMENT = "experiment:"


@click.command()
@click.argument("references", metavar="BASELINE CANDIDATE...", nargs=-1, required=True)
@click.option("--metric", "-m", "metrics", multiple=True, help="Only this metric; can be repeated.")
@click.option("--min", "lower", multiple=True, metavar="METRIC", help="Of this metric less is better.")
@click.option("--max", "higher", multiple=True, metavar="METRIC", help="Of this metric more is better.")
@click.option("--ci", "level", type=float, default=0.95, show_default=True, help="Confidence level of intervals.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder for compare.csv and compare.png.")
@click.option("--strict", is_flag=True, help="Refuse sides that mix commits, versions, failed seeds and the like.")
@roots_option
@json_option
def compare(
    references: tuple[str, ...],
    metrics: tuple[str, ...],
    lower: tuple[str, ...],
    higher: tuple[str, ...],
    level: float,
    out: Path | None,
    strict: bool,
    roots: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Compare candidates with a baseline: config, code, environment, and metric by metric the difference.

    Each is a sweep, a job (SWEEP/JOB), a commit (its runs), or the newest sweep of an experiment (experiment:NAME).
    Runs pair by their seeds and cells where both sides have the same ones.
    """
    from runyard.analyze import write_columns  # loads pandas
    from runyard.compare import compare as compared
    from runyard.compare import draw_comparison

    sides = [find_side(reference, roots) for reference in references]
    mixed = [f"{side.label}: {m.sentence}" for side in sides for loaded in side.sweeps for m in loaded.mixtures]
    if strict and mixed:
        raise UsageError(
            f"a side is a mixture: {mixed[0]}", where="--strict", todo="name other sides, or leave --strict out"
        )
    result = compared(sides, metrics=metrics, level=level, lower=lower, higher=higher)
    if as_json:
        print_json(_json(result, mixed))
        return
    _print(result, mixed)
    folder = out or Path("outputs", "compare", "..".join(_file_name(side.label) for side in sides))
    folder.mkdir(parents=True, exist_ok=True)
    write_columns(folder / "compare.csv", result.columns())
    left_out = draw_comparison(result, folder / "compare.png") if result.contrasts else None
    click.echo(f"\nwritten: {shown(folder / 'compare.csv')}" + (", compare.png" if result.contrasts else ""))
    if left_out:
        click.echo(left_out)


def find_side(reference: str, roots: Sequence[Path]) -> Side:
    """The side that a reference names.

    Raises:
        UsageError: it names nothing, or nothing that has completed.
    """
    from runyard.compare import side_of, side_of_commit

    if reference.startswith(_EXPERIMENT):
        sweep_dir, _ = find_target(f"latest:{reference.removeprefix(_EXPERIMENT)}", roots)
        return side_of(reference, sweep_dir)
    commit = side_of_commit(reference, roots) if not Path(reference).exists() else None
    if commit is not None and not any(_begins(row, reference) for root in roots for row in list_sweeps(root)):
        return commit
    sweep_dir, job = find_target(reference, roots)
    return side_of(_label(reference, sweep_dir, job), sweep_dir, job)


def _begins(row: dict[str, object], reference: str) -> bool:
    return str(row["sweep_id"]).startswith(reference)


def _label(reference: str, sweep_dir: Path, job: int | None) -> str:
    """What a side is called: as the user does, unless that is a path or says only which is the newest."""
    if reference == "latest" or reference.startswith("latest:") or Path(reference).exists():
        return sweep_dir.name + ("" if job is None else f"/{job}")
    return reference


def _file_name(label: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", label)[:60]


def _json(result: Comparison, mixed: Sequence[str]) -> object:
    columns = result.columns()
    rows = len(next(iter(columns.values()), []))
    return {
        "sides": [
            {
                "label": side.label,
                "sweeps": [loaded.sweep.sweep_id for loaded in side.sweeps],
                "runs": len(side.runs),
                "completed": side.completed,
            }
            for side in result.sides
        ],
        "differences": [{"kind": f.kind, "name": f.name, "values": list(f.values)} for f in result.facts],
        "metrics": [{name: cells[n] for name, cells in columns.items()} for n in range(rows)],
        "mixtures": list(mixed),
    }


def _print(result: Comparison, mixed: Sequence[str]) -> None:
    for at, side in enumerate(result.sides):
        word = "baseline " if at == 0 else "candidate"
        sweeps = ", ".join(f"{s.sweep.experiment} {s.sweep.sweep_id}" for s in side.sweeps[:3])
        more = f" and {len(side.sweeps) - 3} more sweeps" if len(side.sweeps) > 3 else ""
        click.echo(f"{word}  {side.label}: {side.completed} of {len(side.runs)} runs completed ({sweeps}{more})")
    for sentence in mixed:
        click.echo(f"mixed      {sentence}")
    print_facts(result.facts, [side.label for side in result.sides])
    if result.only_on_some:
        click.echo(f"\nnot on every side: {', '.join(result.only_on_some)}")
    if not result.contrasts:
        click.echo("\nno metric is on both sides")
        return
    click.echo(f"\nmetrics, with {result.level:.0%} intervals; p after Holm's correction")
    click.echo(_metrics_table(result))


def print_facts(facts: Sequence[Fact], labels: Sequence[str]) -> None:
    """Prints what differs, kind by kind, a column for each side."""
    for kind in ("config", "code", "environment"):
        found = [fact for fact in facts if fact.kind == kind]
        if not found:
            continue
        click.echo(f"\n{kind}")
        width = _column_width(len(labels), max(len(fact.name) for fact in found))
        rows = [[f"  {f.name}", *(cut(v or "-", width) for v in f.values)] for f in found[:_PER_KIND]]
        click.echo(table(["", *(cut(label, width) for label in labels)], rows, width=None, right=frozenset()))
        if len(found) > _PER_KIND:
            click.echo(f"  ... and {len(found) - _PER_KIND} more: --json")
    if not facts:
        click.echo("\nconfig, code and environment are the same")


def _column_width(sides: int, name: int) -> int:
    width = terminal_width()
    return 10**6 if width is None else max((width - name - 4) // sides - 2, _NARROWEST)


def _metrics_table(result: Comparison) -> str:
    several = len(result.sides) > 2
    head = [
        "metric",
        *(["candidate"] if several else []),
        "in",
        "baseline",
        "candidate's",
        "difference",
        "p",
        "verdict",
    ]
    rows = [_row(contrast, several) for contrast in result.contrasts]
    if all(row[head.index("in")] == "all" for row in rows):
        at = head.index("in")
        head, rows = _without(head, at), [_without(row, at) for row in rows]
    right = frozenset(head.index(name) for name in ("baseline", "candidate's", "difference", "p"))
    return table(head, rows, width=terminal_width(), right=right)


def _without(cells: Sequence[str], at: int) -> list[str]:
    return [*cells[:at], *cells[at + 1 :]]


def _row(one: Contrast, several: bool) -> list[str]:
    from runyard.compare import short

    found = one.difference
    between = f" ({found.interval.low:+.3g} to {found.interval.high:+.3g})" if found.interval else ""
    where = " ".join(f"{short(name)}={number(value)}" for name, value in one.setting)
    return [
        one.metric,
        *([one.candidate] if several else []),
        where or "all",
        f"{number(found.baseline)} (n={found.n_baseline})",
        f"{number(found.candidate)} (n={found.n_candidate})",
        f"{found.estimate:+.4g}{between}",
        "-" if one.p_holm is None else f"{one.p_holm:.3g}",
        f"{one.verdict}{', paired' if found.paired and one.p_holm is not None else ''}",
    ]


@click.command()
@click.argument("run", metavar="RUN")
@click.argument("other", metavar="OTHER")
@click.option("--exit-code", is_flag=True, help="End with 1 when anything differs.")
@roots_option
@json_option
def diff(run: str, other: str, exit_code: bool, roots: tuple[Path, ...], as_json: bool) -> None:
    """Tell in what two runs differ: config, code, environment, metrics. RUN is SWEEP/JOB, or a job of the latest."""
    from runyard.compare import facts_of, side_of

    found = []
    for reference in (run, other):
        sweep_dir, job = find_target(reference, roots)
        runs = read_runs(sweep_dir)
        if job is None and len(runs) == 1:
            job = runs[0].job
        if job is None:
            raise UsageError("no job is named", where=reference, todo="write SWEEP/JOB, such as latest/3")
        found.append(
            (
                side_of(_label(reference, sweep_dir, job), sweep_dir, job, with_results=False),
                run_of(runs, job, sweep_dir),
            )
        )
    (one, ours), (two, theirs) = found
    facts = facts_of([one, two])
    names = list(dict.fromkeys([*ours.metrics, *theirs.metrics]))
    unequal = [n for n in names if repr(ours.metrics.get(n)) != repr(theirs.metrics.get(n))]
    if as_json:
        print_json(
            {
                "runs": [one.label, two.label],
                "differences": [{"kind": f.kind, "name": f.name, "values": list(f.values)} for f in facts],
                "metrics": {n: [ours.metrics.get(n), theirs.metrics.get(n)] for n in names},
            }
        )
    else:
        print_facts(facts, [one.label, two.label])
        rows = [
            [f"  {n}", number(ours.metrics.get(n)), number(theirs.metrics.get(n)), "" if n in unequal else "same"]
            for n in names
        ]
        click.echo("\nmetrics")
        click.echo(table(["", one.label, two.label, ""], rows, width=terminal_width(), right=frozenset({1, 2})))
    if exit_code and (facts or unequal):
        click.get_current_context().exit(1)
