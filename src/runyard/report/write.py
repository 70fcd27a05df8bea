"""Writes the report of a sweep: report.html, report.md and the figures beside them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runyard.analyze import LoadedSweep, load_sweep, write_results
from runyard.base import write_text
from runyard.record import SweepPaths
from runyard.report.markdown import report_text
from runyard.report.page import page_html
from runyard.report.plates import plates_of, write_plates
from runyard.report.story import Story, make_story

HTML = "report.html"
MARKDOWN = "report.md"
FIGURES = "figures"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFiles:
    """What was written: None for a piece that was not asked for; ``problems`` says what could not be made."""

    html: Path | None
    markdown: Path | None
    figures: tuple[Path, ...]
    problems: tuple[str, ...]


def write_report(
    sweep_dir: Path, *, metric: str | None = None, html: bool = True, markdown: bool = True, figures: bool = True
) -> ReportFiles:
    """Writes the report of a sweep into its directory, each file in one step.

    Results and tables that the report refers to are made too where the sweep has not come to its end.

    Args:
        sweep_dir: the sweep; it may be at work.
        metric: the metric to speak of; None takes the one that the sweep's config names, or
            else the primary one (see ``primary_metric``).
        html: make ``report.html``.
        markdown: make ``report.md``.
        figures: make ``figures/<name>.png`` and ``.svg``. ``report.md`` links to those that are there.

    Raises:
        RecordError: the directory has neither a sweep record nor a run.
        UsageError: no job reported ``metric``, or what the page needs is not installed.
    """
    loaded = load_sweep(sweep_dir)
    story = _story(loaded, metric)
    missing = [] if SweepPaths(sweep_dir).results_csv.is_file() else write_results(sweep_dir, loaded=loaded)
    plates = plates_of(story)
    drawn, problems = write_plates(plates, sweep_dir / FIGURES) if figures else ({}, [])
    problems = list(dict.fromkeys([*loaded.problems, *missing, *problems]))
    story = dataclasses.replace(story, problems=tuple(problems))
    page = sweep_dir / HTML if html else None
    if page is not None:
        write_text(page, page_html(story, plates))
    text = sweep_dir / MARKDOWN if markdown else None
    if text is not None:
        places = {plate.name: sweep_dir / FIGURES / f"{plate.name}.png" for plate in plates}
        there = [(plate, places[plate.name].relative_to(sweep_dir)) for plate in plates if places[plate.name].is_file()]
        write_text(text, report_text(story, there))
    paths = tuple(path for both in drawn.values() for path in both)
    return ReportFiles(html=page, markdown=text, figures=paths, problems=tuple(problems))


def write_page(loaded: LoadedSweep, path: Path, metric: str | None = None) -> None:
    """Writes the page alone, in one step; see ``write_report``.

    Raises:
        UsageError: no job reported ``metric``, or what the page needs is not installed.
    """
    story = _story(loaded, metric)
    write_text(path, page_html(story, plates_of(story)))


def _story(loaded: LoadedSweep, metric: str | None) -> Story:
    if metric is not None:
        return make_story(loaded, metric)
    declared = declared_metric(loaded.dir)
    known = declared in loaded.metrics or f"metrics.{declared}" in loaded.metrics
    return make_story(loaded, declared if known else None)


def declared_metric(sweep_dir: Path) -> str | None:
    """The metric that the sweep's config names (``hydra.callbacks.runyard.metric``); None when it names none."""
    import yaml

    try:
        value: Any = yaml.safe_load(SweepPaths(sweep_dir).multirun_yaml.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    for key in ("hydra", "callbacks", "runyard", "metric"):
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None
