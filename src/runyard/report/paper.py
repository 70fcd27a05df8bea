"""The paper: size, colours, grid of panels, scales and ticks that all figures have in common."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from runyard.analyze import Axis, Cell, Group
from runyard.report.view import View, labels_of, plain
from runyard.report.wording import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN, HEIGHT_IN, DPI = 7.0, 4.5, 200
#: Okabe and Ito's palette (2008), told apart by colour-blind readers, without its yellow, which is faint on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
MORE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "SimHei",
)
GREY = "#6f6f6f"
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.title_fontsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.useoffset": False,
    "axes.grid": False,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.7,
    "text.usetex": False,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "savefig.bbox": "standard",
}
LINES = ("-", "--", "-.", ":", "-", "--", "-.")  # so that of two equal lines both are seen
_PAD_IN = 0.08
_WIDE_RATIO = 30.0
_TICKS_AT_MOST = 12
_TICK_GAP = 0.06


def sheet(width_in: float, height_in: float) -> Figure:
    """An empty figure that lays itself out."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    engine = ConstrainedLayoutEngine(w_pad=_PAD_IN, h_pad=_PAD_IN / 2)
    return Figure(figsize=(width_in, height_in), dpi=DPI, layout=engine)


def inscribe(figure: Figure, title: str, caption: str) -> None:
    """Writes the title above and the caption below."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5)
    figure.supxlabel(caption, x=0.01, ha="left", fontsize=7, color=GREY)


def panel_axes(figure: Figure, view: View) -> Iterator[tuple[Axes, dict[str, Cell]]]:
    """The panels as axes with their titles, and the facets' values of each; scales are shared."""
    rows, columns = view.shape()
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    places = view.panels()
    for position, (axes, panel) in enumerate(itertools.zip_longest(grid.flat, places)):
        if panel is None:
            figure.delaxes(axes)
            continue
        place, title = panel
        axes.set_title(title)
        if position + columns >= len(places):
            axes.xaxis.set_tick_params(labelbottom=True)
        yield axes, place


def label_panels(figure: Figure, view: View, x_label: str, y_label: str) -> None:
    """Names the axes: at the outer panels only."""
    _, columns = view.shape()
    panels = len(view.panels())
    for position, axes in enumerate(figure.axes[:panels]):
        if position % columns == 0:
            axes.set_ylabel(y_label)
        if position + columns >= panels:
            axes.set_xlabel(x_label)


def metric_label(view: View) -> str:
    """``savings``, or ``mean savings`` when a place has several jobs."""
    several = any(group.n > 1 for group in view.drawn())
    name = plain(shorten(view.metric, 40))
    return f"mean {name}" if several else name


def series_legend(figure: Figure, view: View, handles: Sequence[Any]) -> None:
    """The legend of the series, outside of the panels."""
    series = view.layout.series
    if series is not None:
        title = view.name(series)
        figure.legend(handles, labels_of(series), title=title, loc="outside right upper", frameon=False)


def number_axis(axes: Axes, axis: Axis) -> None:
    """Scale and ticks of a horizontal axis of numbers: logarithmic when the values are laid out so."""
    values = [float(value) for value in axis.values if isinstance(value, (int, float))]
    scale = scale_of(values)
    if scale == "symlog":
        smallest = min(abs(value) for value in values if value)
        axes.set_xscale("symlog", linthresh=smallest, linscale=0.6)
    else:
        axes.set_xscale(scale)
    if len(values) <= _TICKS_AT_MOST and (scale != "linear" or _gap(values) >= _TICK_GAP):
        axes.set_xticks(values, labels_of(axis))
        axes.minorticks_off()


def scale_of(values: Sequence[float]) -> str:
    """``log`` for rising positive values with ratios more alike than their steps; ``symlog`` when zero is first."""
    positive = [value for value in values if value > 0]
    if len(positive) < 3 or positive[-1] / positive[0] < _WIDE_RATIO or values[0] < 0:
        return "linear"
    if _unevenness([math.log(value) for value in positive]) >= _unevenness(positive):
        return "linear"
    return "log" if len(positive) == len(values) else "symlog"


def _unevenness(values: Sequence[float]) -> float:
    steps = [b - a for a, b in itertools.pairwise(values)]
    return max(steps) / min(steps) if min(steps) > 0 else math.inf


def _gap(values: Sequence[float]) -> float:
    """The smallest step as a fraction of the whole range."""
    span = values[-1] - values[0]
    return min((b - a for a, b in itertools.pairwise(values)), default=span) / span if span else 1.0


def interval_limits(groups: Sequence[Group], *also: float) -> tuple[float, float]:
    """How far intervals are drawn: with two jobs they can be so long that nothing else would be seen.

    Half as far again beyond the values of the jobs, and beyond the values in ``also``, as these lie apart.
    """
    low = min(*also, *(group.lowest for group in groups), groups[0].lowest)
    high = max(*also, *(group.highest for group in groups), groups[0].highest)
    return low - 0.5 * (high - low), high + 0.5 * (high - low)


def cut(group: Group, limits: tuple[float, float]) -> tuple[float, float]:
    """How far the interval is drawn below and above the mean; NaN when there is none."""
    if not math.isfinite(group.ci95):
        return math.nan, math.nan
    return min(group.ci95, group.mean - limits[0]), min(group.ci95, limits[1] - group.mean)


def cut_remarks(groups: Sequence[Group], limits: tuple[float, float]) -> list[str]:
    """What the caption says when an interval is not drawn whole."""
    halves = [(group.ci95, cut(group, limits)) for group in groups if math.isfinite(group.ci95)]
    return ["the longest intervals are cut"] if any(drawn != (half, half) for half, drawn in halves) else []


def value_scale(axes: Axes, means: Sequence[float]) -> str:
    """Makes the vertical axis logarithmic when positive values span more than three decades; says so."""
    if means and min(means) > 0 and max(means) / min(means) > 1e3:
        axes.set_yscale("log")
        return " (log scale)"
    return ""
