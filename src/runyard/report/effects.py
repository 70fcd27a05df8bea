"""The figures of the effects of axes: importance, ablations two by two, bars, parallel coordinates."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from runyard.analyze import Axis, groups_of, level
from runyard.report import paper
from runyard.report.caption import caption, footnote, title, wrapped
from runyard.report.figure import draw
from runyard.report.importance import Importance, importance_of
from runyard.report.interactive import labels, metric_name, plain_text, spec_of
from runyard.report.layout import MAX_SERIES, Layout
from runyard.report.plate import Plate
from runyard.report.view import View, plain
from runyard.report.wording import shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_PAIRS = 3
_MOST_LEVELS = 40
_MOST_BARS = 24
_MOST_DIMENSIONS = 10
_FORMULA = "eta squared of the cells' means: the share of their variance that the axis' levels explain alone"


def view_plate(name: str, view: View) -> Plate:
    """The plate of a view."""
    return Plate(
        name=name,
        title=title(view).replace("\\$", "$"),
        caption=" ".join(caption(view, []).replace("\\$", "$").split()),
        spec=spec_of(view),
        paper=lambda: draw(view),
    )


def effect_plates(view: View) -> list[Plate]:
    """Bars, ablations and importance, as far as the sweep's axes allow them; for the page parallel coordinates."""
    ranked = importance_of(view.loaded, view.metric)
    order = [item.axis for item in ranked]
    axes = sorted(_varying(view), key=lambda axis: order.index(axis) if axis in order else len(order))
    settings = [axis for axis in axes if axis.role == "setting"] or axes
    repeated = tuple(axis for axis in axes if axis not in settings)
    made = [_bars(view, settings, repeated), *_ablations(view, settings, repeated)]
    made += [_importance(view, ranked), _parallel(view, axes)]
    return [plate for plate in made if plate is not None]


def _varying(view: View) -> list[Axis]:
    return [axis for axis in view.loaded.axes if axis.varies and axis.role != "seed"]


def _is_grid(view: View) -> bool:
    """Whether the axes were crossed: where they were zipped or sampled, means over one of them mislead."""
    return view.layout.kind not in ("configs", "scatter")


def _with_layout(view: View, layout: Layout) -> View:
    groups = {tuple(map(level, g.key)): g for g in groups_of(view.loaded.table, layout.by, view.metric)}
    return dataclasses.replace(view, layout=layout, groups=groups)


def _bars(view: View, axes: Sequence[Axis], repeated: tuple[Axis, ...]) -> Plate | None:
    """The strongest axis as groups of bars, the next as their colours, with intervals over all else."""
    few = [axis for axis in axes if len(axis.values) <= _MOST_BARS]
    if not _is_grid(view) or view.layout.kind in ("bars", "points") or len(few) < 2:
        return None
    x = max(few[:2], key=lambda axis: len(axis.values))
    series = next((axis for axis in few if axis is not x and len(axis.values) <= MAX_SERIES), None)
    known = view.layout
    if known.kind == "lines" and not known.facets and {known.x, known.series} == {x, series}:
        return None  # the summary shows the same
    averaged = (*(axis for axis in axes if axis not in (x, series)), *repeated)
    plate_view = _with_layout(view, Layout(kind="bars", x=x, series=series, averaged=averaged))
    return view_plate("bars", plate_view) if plate_view.drawn() else None


def _ablations(view: View, axes: Sequence[Axis], repeated: tuple[Axis, ...]) -> list[Plate]:
    """A heat map for each pair of the strongest axes, over all else; not the one that the summary shows already."""
    few = [axis for axis in axes if len(axis.values) <= _MOST_LEVELS]
    if not _is_grid(view):
        return []
    plates: list[Plate] = []
    for a, b in itertools.combinations(few, 2):
        x, y = (a, b) if len(a.values) >= len(b.values) else (b, a)
        averaged = (*(axis for axis in axes if axis not in (x, y)), *repeated)
        layout = Layout(kind="heat", x=x, y=y, averaged=averaged)
        known = view.layout
        if known.kind == "heat" and not known.facets and {known.x, known.y} == {x, y}:
            continue
        pair = _with_layout(view, layout)
        if pair.drawn():
            plates.append(view_plate(f"ablation-{len(plates) + 1}", pair))
        if len(plates) == _MOST_PAIRS:
            break
    return plates


def _importance(view: View, ranked: Sequence[Importance]) -> Plate | None:
    if len(ranked) < 2:
        return None
    names = [view.name(item.axis) for item in ranked]
    shares = [100 * item.share for item in ranked]
    rest = 100 - sum(shares)
    parts = [_FORMULA]
    if _is_grid(view) and rest > 0.05:
        parts.append(f"{rest:.1f} % is left for interactions and for cells without a result")
    parts += footnote(view)
    heading = f"Importance of each axis for {plain(shorten(view.metric, 36))}"
    spec = {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": shares,
                "y": list(range(len(names))),
                "text": [f"{share:.1f} %" for share in shares],
                "textposition": "outside",
                "cliponaxis": False,
                "hoverinfo": "skip",
                "marker": {"color": paper.COLOURS[0]},
            }
        ],
        "layout": {
            "height": max(200, 110 + 34 * len(names)),
            "xaxis": {"title": {"text": "% of variance explained"}, "range": [0, 105], "automargin": True},
            "yaxis": {
                "tickvals": list(range(len(names))),
                "ticktext": [plain_text(name) for name in names],
                "range": [len(names) - 0.4, -0.6],
                "automargin": True,
            },
        },
    }
    return Plate(
        name="importance",
        title=heading.replace("\\$", "$"),
        caption=" · ".join(parts),
        spec=spec,
        paper=lambda: _draw_importance(names, shares, heading, parts),
    )


def _draw_importance(names: Sequence[str], shares: Sequence[float], heading: str, parts: Sequence[str]) -> Figure:
    figure = paper.sheet(paper.WIDTH_IN, 1.4 + 0.28 * len(names))
    axes = figure.subplots()
    bars = axes.barh(range(len(names)), shares, 0.7, color=paper.COLOURS[0])
    axes.bar_label(bars, [f"{share:.1f} %" for share in shares], padding=3, fontsize=7)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, 105)
    axes.set_xlabel("% of variance explained")
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    paper.inscribe(figure, heading, wrapped(parts))
    return figure


def _parallel(view: View, axes: Sequence[Axis]) -> Plate | None:
    """A line per cell through its value on each axis, coloured by the metric; for three axes or more."""
    if len(axes) < 3:
        return None
    shown = list(axes[:_MOST_DIMENSIONS])
    groups = [
        g for g in groups_of(view.loaded.table, [axis.name for axis in shown], view.metric) if math.isfinite(g.mean)
    ]
    means = [group.mean for group in groups]
    if len(groups) < 2:
        return None
    dimensions: list[dict[str, Any]] = []
    for n, axis in enumerate(shown):
        places = {level(value): place for place, value in enumerate(axis.values)}
        dimension: dict[str, Any] = {"label": plain_text(shorten(view.names[axis.name], 24))}
        if axis.kind == "numeric" and len(axis.values) > _MOST_BARS:
            dimension["values"] = [group.key[n] for group in groups]
        else:  # levels at equal distances, so that 0.001 and 0.01 are told apart
            dimension["values"] = [places[level(group.key[n])] for group in groups]
            dimension |= {"tickvals": list(range(len(axis.values))), "ticktext": labels(axis)}
            dimension["range"] = [-0.15, max(len(axis.values) - 1, 1) + 0.15]
        dimensions.append(dimension)
    dimensions.append({"label": metric_name(view), "values": means})
    line = {"color": means, "colorscale": "Viridis", "showscale": False}
    spec = {
        "data": [{"type": "parcoords", "line": line, "dimensions": dimensions, "labelangle": 0}],
        "layout": {"height": 420, "margin": {"t": 64, "l": 80, "r": 60}},
    }
    parts = ["each line is a cell, its colour the metric", "drag along an axis to pick lines", *footnote(view)]
    heading = f"{shorten(view.metric, 36)} over all axes"
    return Plate(name="parallel", title=heading, caption=" · ".join(parts), spec=spec)
