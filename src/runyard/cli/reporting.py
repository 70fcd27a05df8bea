"""``runyard report``: a sweep as a page, as Markdown and as figures."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from runyard.base import UsageError
from runyard.cli.options import json_option, print_json, roots_option, sweep_argument
from runyard.record import shown
from runyard.registry import find_sweep


@click.command()
@sweep_argument
@click.option(
    "--metric", "-m", help="The metric to show.  [default: the sweep's, else the first that tells jobs apart]"
)
@click.option("--html/--no-html", default=True, show_default=True, help="Make report.html, which needs no network.")
@click.option("--md/--no-md", "markdown", default=True, show_default=True, help="Make report.md.")
@click.option("--figures/--no-figures", default=True, show_default=True, help="Draw figures/ as PNG and SVG.")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
@roots_option
@json_option
def report(
    sweep: str,
    metric: str | None,
    html: bool,
    markdown: bool,
    figures: bool,
    show: bool,
    roots: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Make the report of a sweep: a page with figures, results, failures, cost; the same as Markdown; figures.

    The files go into the sweep's directory, over those of an earlier report. Works while the sweep runs.
    """
    if show and not html:
        raise UsageError("--open needs the page", where="--no-html", todo="leave one of them out")
    sweep_dir = find_sweep(sweep, roots)
    from runyard.report import write_report  # loads pandas

    made = write_report(sweep_dir, metric=metric, html=html, markdown=markdown, figures=figures)
    for problem in made.problems:
        click.echo(f"note: {problem}", err=True)
    files = [path for path in (made.html, made.markdown, *made.figures) if path is not None]
    if as_json:
        print_json({"files": [str(path) for path in files], "problems": list(made.problems)})
    else:
        click.echo("\n".join(shown(path) for path in files))
    if show and made.html is not None and not webbrowser.open(made.html.resolve().as_uri()):
        click.echo(f"note: no browser was found; open {shown(made.html)}", err=True)
