"""``runyard gate``: whether a sweep meets its rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runyard.base import UsageError, write_text
from runyard.cli.options import find_target, json_option, print_json, roots_option
from runyard.cli.words import number, table, terminal_width
from runyard.record import shown

if TYPE_CHECKING:
    from runyard.gates import CellGates, GateReport, Judged, Rule

_GATES_YAML = Path("gates.yaml")


@click.command()
@click.argument("sweep", metavar="SWEEP[/JOB]", default="latest")
@click.option("--baseline", metavar="REF", help="The sweep or job that improvements and ratios are measured against.")
@click.option("--rule", "lines", multiple=True, metavar="'METRIC < NUMBER'", help="A rule; can be repeated.")
@click.option(
    "--gates", "file", type=click.Path(path_type=Path), help="A YAML file of rules.  [default: the sweep's, gates.yaml]"
)
@click.option("--any", "one_is_enough", is_flag=True, help="Pass when one cell passes.  [default: all must]")
@click.option("--allow-missing", is_flag=True, help="Pass over jobs that did not complete.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write JUnit XML to this file.")
@click.option("--dry-run", is_flag=True, help="Do not write gates.json.")
@roots_option
@json_option
def gate(
    sweep: str,
    baseline: str | None,
    lines: tuple[str, ...],
    file: Path | None,
    one_is_enough: bool,
    allow_missing: bool,
    junit: Path | None,
    dry_run: bool,
    roots: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Judge a sweep, or the cell of one job, by rules on its metrics; over seeds, and beside a baseline.

    Exit code 0: every cell meets every rule. 1: not. The verdicts are kept in the sweep's gates.json.
    """
    from runyard.analyze import load_sweep  # loads pandas
    from runyard.gates import gate_sweep, junit_xml, write_gates

    sweep_dir, job = find_target(sweep, roots)
    rules = _rules(lines, file, sweep_dir)
    beside = None if baseline is None else find_target(baseline, roots)
    report = gate_sweep(
        load_sweep(sweep_dir),
        rules,
        baseline=None if beside is None else load_sweep(beside[0]),
        baseline_job=None if beside is None else beside[1],
        baseline_name=baseline or "",
        job=job,
        allow_missing=allow_missing,
    )
    if job is None and not dry_run:
        write_gates(sweep_dir, report)
    if junit is not None:
        write_text(junit, junit_xml(report))
    passed = any(cell.passed for cell in report.cells) if one_is_enough else report.passed
    print_json(report.to_json()) if as_json else _print(report, passed)
    if not passed:
        click.get_current_context().exit(1)


def _rules(lines: Sequence[str], file: Path | None, sweep_dir: Path) -> tuple[Rule, ...]:
    """The rules that are given; else those that the sweep was judged by, else those of ./gates.yaml."""
    from runyard.gates import parse_rule, read_gates, read_rules

    given = tuple(parse_rule(line, "--rule") for line in lines)
    if file is not None:
        return (*given, *read_rules(file))
    if given:
        return given
    before = read_gates(sweep_dir)
    if before is not None:
        return before.rules
    if _GATES_YAML.is_file():
        return read_rules(_GATES_YAML)
    raise UsageError(
        "there is no rule to judge by",
        where=shown(sweep_dir),
        todo="give --rule 'METRIC < NUMBER', --gates FILE, or write a gates.yaml here",
    )


def _print(report: GateReport, passed: bool) -> None:
    from runyard.gates import cell_name

    head = ["", "cell", "gate", "value", "baseline", "n", "why"]
    rows = [_row(cell_name(cell), cell, verdict) for cell in report.cells for verdict in cell.verdicts]
    dropped = {at for at in (4,) if all(row[at] == "-" for row in rows)}
    kept = [at for at in range(len(head)) if at not in dropped]
    lines = [[row[at] for at in kept] for row in rows]
    right = frozenset(n for n, at in enumerate(kept) if head[at] in ("value", "baseline", "n"))
    click.echo(table([head[at] for at in kept], lines, width=terminal_width(), right=right))
    good = sum(cell.passed for cell in report.cells)
    click.echo(f"{'passed' if passed else 'FAILED'}: {good} of {len(report.cells)} cells meet every rule")
    if any(verdict.provisional for cell in report.cells for verdict in cell.verdicts):
        click.echo("some only provisionally: name a baseline with --baseline REF")


def _row(name: str, cell: CellGates, verdict: Judged) -> list[str]:
    word = "provisional" if verdict.provisional else "pass" if verdict.passed else "FAIL"
    colour = {"pass": "green", "FAIL": "red"}.get(word, "yellow")
    return [
        click.style(word, fg=colour),
        name,
        verdict.rule.text,
        number(verdict.value),
        number(verdict.baseline),
        str(verdict.n),
        verdict.why,
    ]
