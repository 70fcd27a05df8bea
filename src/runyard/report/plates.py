"""The figures of a report: which ones a sweep gets. Makes their plotly twins; draws on paper when it is asked to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runyard.analyze import attempt
from runyard.report.effects import effect_plates, view_plate
from runyard.report.figure import draw_files
from runyard.report.learning import learning_plates
from runyard.report.plate import Plate
from runyard.report.spread import spread_plate
from runyard.report.story import Story
from runyard.report.view import make_view


def plates_of(story: Story) -> list[Plate]:
    """The figures that fit a sweep, the summary first; none without a finite metric."""
    if story.metric is None:
        return []
    view = make_view(story.loaded, story.metric)
    if not view.drawn():
        return []
    spread = spread_plate(view)
    return [view_plate("summary", view), *([spread] if spread else []), *effect_plates(view), *learning_plates(view)]


def write_plates(plates: Sequence[Plate], folder: Path) -> tuple[dict[str, tuple[Path, Path]], list[str]]:
    """Draws the plates into ``<folder>/<name>.png`` and ``.svg``.

    Returns:
        The files of each plate that was drawn, and sentences about what was not.
    """
    drawn: dict[str, tuple[Path, Path]] = {}
    problems: list[str] = []
    for plate in plates:
        paper = plate.paper
        if paper is None:
            continue
        files = (folder / f"{plate.name}.png", folder / f"{plate.name}.svg")
        found = attempt(f"{folder.name}/{plate.name}", lambda make=paper, files=files: draw_files(make, files))  # type: ignore[misc]
        problems += found
        if not found:
            drawn[plate.name] = files
    return drawn, problems
