"""The figure over two numeric axes: a heat map, with the number in each cell where there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from runyard.analyze import Axis, Cell
from runyard.report import paper
from runyard.report.view import View, labels_of
from runyard.report.wording import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CELL_WIDTH_IN, _CELL_HEIGHT_IN = 0.36, 0.2  # what a number of five characters needs
_LABELS_AT_MOST = 12


def draw_heat(figure: Figure, view: View) -> list[str]:
    """The metric over ``x`` and ``y`` as colour, one scale for all panels; a place without a result is hatched."""
    x, y = view.layout.x, view.layout.y
    if x is None or y is None:
        raise ValueError("a heat map needs two axes")
    means = [group.mean for group in view.drawn()]
    low, high = min(means), max(means)
    image = None
    empty = False
    for axes, place in paper.panel_axes(figure, view):
        values = _grid(view, place, x, y)
        empty = empty or bool(np.isnan(values).any())
        axes.set_facecolor("#f2f2f2")
        axes.patch.set_hatch("////")
        axes.patch.set_edgecolor("#c8c8c8")
        image = axes.imshow(values, origin="lower", aspect="auto", cmap="viridis", vmin=low, vmax=high)
        _ticks(axes, x, y)
        if _has_room(figure, view, x, y):
            _write_numbers(axes, values, low, high)
    paper.label_panels(figure, view, view.name(x), view.name(y))
    if image is not None:
        bar = figure.colorbar(image, ax=figure.axes, label=paper.metric_label(view), pad=0.02)
        bar.outline.set_visible(False)
    return ["hatched: no result"] if empty else []


def _grid(view: View, place: dict[str, Cell], x: Axis, y: Axis) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Means: a row per level of y, a column per level of x; NaN where there is none."""
    groups = [[view.group({**place, y.name: b, x.name: a}) for a in x.values] for b in y.values]
    return np.array([[np.nan if group is None else group.mean for group in row] for row in groups])


def _ticks(axes: Axes, x: Axis, y: Axis) -> None:
    for axis, paper_axis in ((x, axes.xaxis), (y, axes.yaxis)):
        labels = labels_of(axis)
        step = -(-len(labels) // _LABELS_AT_MOST)
        paper_axis.set_ticks(list(range(0, len(labels), step)), labels[::step])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _has_room(figure: Figure, view: View, x: Axis, y: Axis) -> bool:
    rows, columns = view.shape()
    width, height = figure.get_size_inches()
    wide = (width - 1.8) / columns / len(x.values)
    high = (height - 1.2) / rows / len(y.values) - 0.05
    return bool(wide >= _CELL_WIDTH_IN and high >= _CELL_HEIGHT_IN)


def _write_numbers(axes: Axes, values: np.ndarray[Any, np.dtype[np.float64]], low: float, high: float) -> None:
    for (row, column), value in np.ndenumerate(values):
        if not np.isnan(value):
            dark = high > low and (value - low) / (high - low) < 0.55
            colour = "white" if dark or high == low else "black"
            axes.text(column, row, _short(value), ha="center", va="center", color=colour, fontsize=7)


def _short(value: float) -> str:
    text = number(float(f"{value:.3g}"))
    return text if len(text) <= 6 else f"{value:.1e}"
