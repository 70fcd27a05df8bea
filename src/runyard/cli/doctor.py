"""``runyard doctor``: whether this machine and these roots are fit for sweeps, and what to do where not."""

from __future__ import annotations

from pathlib import Path

import click

from runyard.cli.checks import OK, PROBLEM, WARNING, all_checks
from runyard.cli.options import json_option, print_json, roots_option
from runyard.cli.words import facts

_COLOURS = {OK: "green", WARNING: "yellow", PROBLEM: "red"}


@click.command()
@roots_option
@json_option
@click.pass_context
def doctor(ctx: click.Context, roots: tuple[Path, ...], as_json: bool) -> None:
    """Check Python, Hydra and its plugins, git, the file system, the registry and the sweeps.

    The exit code is 1 when there is a problem; warnings do not count.
    """
    checks = all_checks(roots)
    if as_json:
        print_json([{"check": c.name, "level": c.level, "found": c.found, "todo": c.todo} for c in checks])
    else:
        for c in checks:
            level = click.style(f"{c.level:<7}", fg=_COLOURS[c.level])
            click.echo(f"{level}  {c.name}: {c.found}")
            if c.todo:
                click.echo(facts([("      to do", c.todo)]))
    if any(c.level == PROBLEM for c in checks):
        ctx.exit(1)
