"""The summary figure: draws a sweep's primary metric as fits the swept axes. Needs the optional matplotlib."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runyard.analyze import LoadedSweep, primary_metric
from runyard.base import write_bytes
from runyard.report import paper
from runyard.report.bars import categories, draw_bars
from runyard.report.caption import caption, title
from runyard.report.curves import draw_lines, draw_points, draw_scatter
from runyard.report.heat import draw_heat
from runyard.report.view import View, make_view

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DRAW: Mapping[str, Callable[[Figure, View], list[str]]] = {
    "points": draw_points,
    "lines": draw_lines,
    "bars": draw_bars,
    "configs": draw_bars,
    "heat": draw_heat,
    "scatter": draw_scatter,
}
_NO_GLYPH = "Glyph"  # how matplotlib begins its warning about a character without a font


def summary_figure(loaded: LoadedSweep, path: Path, metric: str | None = None) -> str | None:
    """Draws the figure as a PNG, 7 inches wide at 200 dots per inch, and writes it in one step.

    The swept axes choose it (see ``choose_layout``). It shows means over COMPLETED jobs and Student's 95 %
    intervals; its caption says over what was averaged, of how many jobs, and what is left out.

    Args:
        loaded: the sweep.
        path: where the PNG goes.
        metric: which metric; None takes the primary one (see ``primary_metric``).

    Returns:
        None when it was made, else a sentence that says why it was not, or what it lacks.

    Raises:
        UsageError: no job reported ``metric``.
    """
    name = primary_metric(loaded.table, metric)
    if name is None:
        return f"{path.name} was not made: no job completed with a metric"
    view = make_view(loaded, name)
    if not view.drawn():
        return f"{path.name} was not made: no completed job has a finite {name}"
    try:
        import matplotlib  # noqa: F401  only whether it is there
    except ImportError as error:
        return f"{path.name} was not made: matplotlib is not installed ({error}); pip install 'runyard[figures]'"
    return next(iter(draw_files(lambda: draw(view), (path,))), None)


def draw_files(make: Callable[[], Figure], paths: Sequence[Path]) -> list[str]:
    """Draws a figure once and writes it as each file's suffix says, in one step each.

    The figure is the same whatever the user's own settings of matplotlib.

    Returns:
        A sentence when boxes stand in it for characters without a font.
    """
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        fonts = {"font.family": ["DejaVu Sans", *_installed_fonts()]}
        matplotlib.rcParams.update(paper.STYLE | fonts | {"svg.hashsalt": "runyard"})  # equal figures, equal files
        figure = make()
        boxes = False
        for path in paths:
            data, lacks = _image(figure, path.suffix.removeprefix("."))
            boxes = boxes or lacks
            path.parent.mkdir(exist_ok=True)
            write_bytes(path, data)
    return [f"{paths[0].name} has boxes for characters that no font of this machine has"] if boxes else []


def _image(figure: Figure, form: str) -> tuple[bytes, bool]:
    """The figure's file, and whether boxes stand in it for characters without a font."""
    data = io.BytesIO()
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", message=_NO_GLYPH, category=UserWarning)
        figure.savefig(data, format=form, metadata={"Date": None} if form == "svg" else None)
    others = [warning for warning in caught if not str(warning.message).startswith(_NO_GLYPH)]
    for warning in others:
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return data.getvalue(), len(others) < len(caught)


def _installed_fonts() -> list[str]:
    """Fonts that have what the first one lacks, those that this machine has."""
    from matplotlib.font_manager import fontManager

    known = {font.name for font in fontManager.ttflist}
    return [name for name in paper.MORE_FONTS if name in known]


def draw(view: View) -> Figure:
    """The figure of a view, with its title and caption. Takes matplotlib's settings as they are."""
    figure = paper.sheet(*size_in(view))
    remarks = _DRAW[view.layout.kind](figure, view)
    paper.inscribe(figure, title(view), caption(view, remarks))
    return figure


def size_in(view: View) -> tuple[float, float]:
    """Width and height of the figure in inches: higher for rows of panels and for many lying bars."""
    rows = view.shape()[0]
    if view.layout.kind == "scatter":
        rows = math.ceil(len(view.layout.shown) / 3)
    height = paper.HEIGHT_IN if rows == 1 else 1.3 + 2.4 * rows
    if view.layout.kind in ("bars", "configs"):
        bars = categories(view)
        if bars.lying:
            series = 1 if view.layout.series is None else len(view.layout.series.values)
            thickness = 0.2 if series == 1 else 0.1 + 0.11 * series
            height = max(height, 1.4 + rows * (0.4 + thickness * len(bars.labels)))
    return paper.WIDTH_IN, height
