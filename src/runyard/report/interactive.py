"""The twins of the figures for the page: a view as plotly takes it. Plain values; loads no plotly."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runyard.analyze import Axis, Cell, Group, level
from runyard.report import paper
from runyard.report.bars import categories
from runyard.report.plate import Spec
from runyard.report.view import View, labels_of
from runyard.report.wording import number

_PANEL_GAP = 0.06
_PANEL_HEIGHT = 300
_LEAST_HEIGHT = 380
_BAR_HEIGHT = 26
_SERIES_SHADE = "28"  # hexadecimal opacity of a band
_NUMBERED_CELLS = 150


def spec_of(view: View) -> Spec:
    """The figure of a view, of the same kind as ``runyard.report.figure.draw`` makes."""
    return _SPECS[view.layout.kind](view)


def plain_text(text: str) -> str:
    """The text as plotly shows it: plotly reads a few tags, and takes these for what they look like."""
    escaped = text.replace("\\$", "$").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("$", "\u200b$")


def metric_name(view: View) -> str:
    """The label of the metric's axis."""
    return plain_text(paper.metric_label(view))


def labels(axis: Axis) -> list[str]:
    """A label for each of an axis' values."""
    return [plain_text(text) for text in labels_of(axis)]


def hover(view: View, group: Group) -> str:
    """``gamma=0.5, tau=0: 2.81 ± 0.02, n = 3``."""
    names = {axis.name: axis for axis in view.loaded.axes}
    said = []
    for name, cell in zip(view.layout.by, group.key, strict=True):
        texts = dict(zip(map(level, names[name].values), labels(names[name]), strict=True))
        said.append(f"{plain_text(view.names[name])} = {texts[level(cell)]}")
    spread = f" ± {number(group.ci95)}" if math.isfinite(group.ci95) else ""
    return "<br>".join([*said, f"<b>{number(group.mean)}{spread}</b>", f"n = {group.n}"])


def _panels(view: View) -> tuple[dict[str, Any], list[tuple[str, dict[str, Cell]]]]:
    """The layout of the panels, and for each the suffix of its axes (``""``, ``2``, ...) and its facets' values."""
    rows, columns = view.shape()
    layout: dict[str, Any] = {"annotations": [], "height": max(_LEAST_HEIGHT, 80 + rows * _PANEL_HEIGHT)}
    suffixes: list[tuple[str, dict[str, Cell]]] = []
    width = (1 - _PANEL_GAP * (columns - 1)) / columns
    gap = min(_PANEL_GAP * 2, 0.6 / rows)
    height = (1 - gap * (rows - 1)) / rows
    for position, (place, title) in enumerate(view.panels()):
        suffix = "" if position == 0 else str(position + 1)
        row, column = divmod(position, columns)
        x0, y1 = column * (width + _PANEL_GAP), 1 - row * (height + gap)
        layout[f"xaxis{suffix}"] = {"domain": [x0, x0 + width], "anchor": f"y{suffix}", "automargin": True}
        layout[f"yaxis{suffix}"] = {"domain": [max(0.0, y1 - height), y1], "anchor": f"x{suffix}", "automargin": True}
        if suffix:
            layout[f"xaxis{suffix}"]["matches"] = "x"
            layout[f"yaxis{suffix}"]["matches"] = "y"
        if title:
            layout["annotations"].append(_heading(plain_text(title), x0 + width / 2, y1))
        suffixes.append((suffix, place))
    return layout, suffixes


def _heading(text: str, x: float, y: float) -> dict[str, Any]:
    at = {"xref": "paper", "yref": "paper", "xanchor": "center", "yanchor": "bottom", "showarrow": False}
    return {"text": text, "x": x, "y": y, "font": {"size": 12}, **at}


def _set_axes(layout: dict[str, Any], which: str, values: Mapping[str, Any], title: str, outer: Sequence[str]) -> None:
    """Gives every axis of a direction the values, and those of the outer panels the title."""
    for name, axis in layout.items():
        if name.startswith(which):
            axis.update(values)
            if name in outer:
                axis["title"] = {"text": title}


def _outer(view: View) -> tuple[list[str], list[str]]:
    """Names of the horizontal axes at the bottom, and of the vertical ones at the left."""
    columns = view.shape()[1]
    panels = len(view.panels())
    suffix = ["" if n == 0 else str(n + 1) for n in range(panels)]
    bottom = [f"xaxis{suffix[n]}" for n in range(panels) if n + columns >= panels]
    return bottom, [f"yaxis{suffix[n]}" for n in range(panels) if n % columns == 0]


def _series(view: View) -> list[tuple[str, dict[str, Cell]]]:
    series = view.layout.series
    if series is None:
        return [("", {})]
    return [(text, {series.name: value}) for text, value in zip(labels(series), series.values, strict=True)]


def _legend(view: View, layout: dict[str, Any]) -> None:
    if view.layout.series is not None:
        layout["legend"] = {"title": {"text": plain_text(view.name(view.layout.series))}}


def _lines(view: View) -> Spec:
    x = view.layout.x
    if x is None:
        raise ValueError("lines need an x axis")
    layout, panels = _panels(view)
    data: list[dict[str, Any]] = []
    for first, (suffix, place) in enumerate(panels):
        for n, (name, key) in enumerate(_series(view)):
            colour = paper.COLOURS[n % len(paper.COLOURS)]
            found = [(v, g) for v in x.values if (g := view.group({**place, **key, x.name: v})) is not None]
            ends = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}", "legendgroup": name}
            data += _band([(v, g) for v, g in found if math.isfinite(g.ci95)], colour, ends)
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "x": [v for v, _ in found],
                    "y": [g.mean for _, g in found],
                    "text": [hover(view, g) for _, g in found],
                    "hoverinfo": "text",
                    "name": name,
                    "showlegend": bool(name) and first == 0,
                    "line": {"color": colour, "width": 2},
                    **ends,
                }
            )
    bottom, left = _outer(view)
    numbers = [float(value) for value in x.values if isinstance(value, (int, float))]
    scale = "log" if paper.scale_of(numbers) == "log" else "linear"
    _set_axes(layout, "xaxis", {"type": scale}, plain_text(view.name(x)), bottom)
    _set_axes(layout, "yaxis", _value_axis(view), metric_name(view), left)
    _legend(view, layout)
    return {"data": data, "layout": layout}


def _value_axis(view: View) -> dict[str, Any]:
    means = [group.mean for group in view.drawn()]
    return {"type": "log"} if means and min(means) > 0 and max(means) / min(means) > 1e3 else {}


def _band(found: Sequence[tuple[Cell, Group]], colour: str, ends: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The interval as a filled outline, there and back."""
    if len(found) < 2:
        return []
    xs = [v for v, _ in found]
    upper = [g.mean + g.ci95 for _, g in found]
    lower = [g.mean - g.ci95 for _, g in found]
    return [filled(xs, lower, upper, colour, ends)]


def filled(
    xs: Sequence[Any], lower: Sequence[float], upper: Sequence[float], colour: str, ends: Mapping[str, Any]
) -> dict[str, Any]:
    """A band between two curves over the same places."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [*xs, *reversed(xs)],
        "y": [*upper, *reversed(lower)],
        "fill": "toself",
        "fillcolor": colour + _SERIES_SHADE,
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
        **ends,
    }


def _bars(view: View) -> Spec:
    bars = categories(view)
    layout, panels = _panels(view)
    names = [f"{n}" for n in range(len(bars.labels))]
    data: list[dict[str, Any]] = []
    for first, (suffix, place) in enumerate(panels):
        for n, (name, key) in enumerate(_series(view)):
            groups = [view.group({**place, **category, **key}) for category in bars.places]
            data.append(_bar(view, groups, names, bars.lying, name, n, first == 0, suffix))
    categories_axis = {
        "type": "category",
        "tickvals": names,
        "ticktext": [plain_text(text) for text in bars.labels],
        "categoryorder": "array",
        "categoryarray": names,
    }
    bottom, left = _outer(view)
    x = view.layout.x
    name = "" if x is None else plain_text(view.name(x))
    if bars.lying:
        rows = view.shape()[0]
        layout["height"] = max(_LEAST_HEIGHT, 110 + rows * _BAR_HEIGHT * len(names) * max(1, len(_series(view)) // 2))
        _set_axes(layout, "yaxis", {**categories_axis, "autorange": "reversed"}, name, left)
        _set_axes(layout, "xaxis", {}, metric_name(view), bottom)
    else:
        _set_axes(layout, "xaxis", categories_axis, name, bottom)
        _set_axes(layout, "yaxis", {}, metric_name(view), left)
    layout["barmode"] = "group"
    _legend(view, layout)
    return {"data": data, "layout": layout}


def _bar(
    view: View,
    groups: Sequence[Group | None],
    names: Sequence[str],
    lying: bool,
    name: str,
    series: int,
    first: bool,
    suffix: str,
) -> dict[str, Any]:
    there = [(place, group) for place, group in zip(names, groups, strict=True) if group is not None]
    means = [group.mean for _, group in there]
    halves = [group.ci95 if math.isfinite(group.ci95) else 0.0 for _, group in there]
    at = [place for place, _ in there]
    bar: dict[str, Any] = {
        "type": "bar",
        "orientation": "h" if lying else "v",
        "x": means if lying else at,
        "y": at if lying else means,
        "hovertext": [hover(view, group) for _, group in there],
        "hoverinfo": "text",
        "name": name,
        "legendgroup": name,
        "showlegend": bool(name) and first,
        "marker": {"color": paper.COLOURS[series % len(paper.COLOURS)]},
        "xaxis": f"x{suffix}",
        "yaxis": f"y{suffix}",
    }
    if any(halves):
        bar["error_x" if lying else "error_y"] = {"type": "data", "array": halves, "thickness": 1, "width": 3}
    return bar


def _heat(view: View) -> Spec:
    x, y = view.layout.x, view.layout.y
    if x is None or y is None:
        raise ValueError("a heat map needs two axes")
    layout, panels = _panels(view)
    means = [group.mean for group in view.drawn()]
    across, up = labels(x), labels(y)
    data = []
    for first, (suffix, place) in enumerate(panels):
        rows = [[view.group({**place, y.name: b, x.name: a}) for a in x.values] for b in y.values]
        trace: dict[str, Any] = {
            "type": "heatmap",
            "x": list(range(len(across))),
            "y": list(range(len(up))),
            "z": [[None if g is None else g.mean for g in row] for row in rows],
            "hovertext": [["no result" if g is None else hover(view, g) for g in row] for row in rows],
            "hoverinfo": "text",
            "colorscale": "Viridis",
            "zmin": min(means),
            "zmax": max(means),
            "showscale": first == 0,
            "colorbar": {"title": {"text": metric_name(view), "side": "right"}, "outlinewidth": 0},
            "xgap": 1,
            "ygap": 1,
            "hoverongaps": True,
            "xaxis": f"x{suffix}",
            "yaxis": f"y{suffix}",
        }
        if len(across) * len(up) * len(panels) <= _NUMBERED_CELLS:
            trace["text"] = [["" if g is None else number(float(f"{g.mean:.3g}")) for g in row] for row in rows]
            trace["texttemplate"] = "%{text}"
        data.append(trace)
    bottom, left = _outer(view)
    for which, axis, texts, outer in (("xaxis", x, across, bottom), ("yaxis", y, up, left)):
        step = -(-len(texts) // 20)
        ticks = {"tickvals": list(range(0, len(texts), step)), "ticktext": texts[::step], "showgrid": False}
        _set_axes(layout, which, {**ticks, "zeroline": False}, plain_text(view.name(axis)), outer)
    return {"data": data, "layout": layout}


def _points(view: View) -> Spec:
    """A point per job and the mean: when nothing but seeds varies."""
    columns = view.loaded.table.columns
    rows = [n for n, state in enumerate(columns["state"]) if state == "COMPLETED"]
    pairs = [(columns["job"][n], v) for n in rows if isinstance(v := columns[view.metric][n], (int, float))]
    values = [(job, float(value)) for job, value in pairs if math.isfinite(value)]
    group = next(iter(view.groups.values()))
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [job for job, _ in values],
            "y": [value for _, value in values],
            "text": [f"job {job}<br><b>{number(value)}</b>" for job, value in values],
            "hoverinfo": "text",
            "marker": {"color": paper.COLOURS[0], "size": 9},
            "showlegend": False,
        }
    ]
    layout: dict[str, Any] = {
        "height": _LEAST_HEIGHT,
        "xaxis": {"title": {"text": "job"}, "automargin": True},
        "yaxis": {"title": {"text": plain_text(view.metric)}, "automargin": True},
    }
    if len(values) > 1:
        line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": group.mean, "y1": group.mean}
        layout["shapes"] = [{**line, "line": {"color": paper.GREY, "width": 1.5}}]
        if math.isfinite(group.ci95):
            ends = {"y0": group.mean - group.ci95, "y1": group.mean + group.ci95, "fillcolor": paper.GREY}
            band = {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "opacity": 0.18, "line": {"width": 0}, **ends}
            layout["shapes"].append(band)
    return {"data": data, "layout": layout}


def _scatter(view: View) -> Spec:
    """The metric against each sampled axis in a panel of its own."""
    shown = view.layout.shown
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    groups = view.drawn()
    layout: dict[str, Any] = {"height": max(_LEAST_HEIGHT, rows * _PANEL_HEIGHT), "grid": _grid(rows, columns)}
    data = []
    for n, axis in enumerate(shown):
        suffix = "" if n == 0 else str(n + 1)
        numeric = axis.kind == "numeric"
        texts = dict(zip(map(level, axis.values), labels(axis), strict=True))
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [g.key[n] if numeric else texts[level(g.key[n])] for g in groups],
                "y": [g.mean for g in groups],
                "text": [hover(view, g) for g in groups],
                "hoverinfo": "text",
                "marker": {"color": paper.COLOURS[0], "size": 7, "opacity": 0.65},
                "showlegend": False,
                "xaxis": f"x{suffix}",
                "yaxis": f"y{suffix}",
            }
        )
        first = n % columns == 0
        layout[f"xaxis{suffix}"] = {"title": {"text": plain_text(view.name(axis))}, "automargin": True}
        layout[f"xaxis{suffix}"] |= _sampled_scale(axis)
        layout[f"yaxis{suffix}"] = {"automargin": True, **_value_axis(view)}
        layout[f"yaxis{suffix}"] |= {"title": {"text": metric_name(view)}} if first else {}
        layout[f"yaxis{suffix}"] |= {"matches": "y"} if suffix else {}
    return {"data": data, "layout": layout}


def _sampled_scale(axis: Axis) -> dict[str, Any]:
    if axis.kind != "numeric":
        return {"type": "category"}
    values = [float(value) for value in axis.values if isinstance(value, (int, float))]
    return {"type": "log"} if values[0] > 0 and values[-1] / values[0] >= 100 else {}


def _grid(rows: int, columns: int) -> dict[str, Any]:
    return {"rows": rows, "columns": columns, "pattern": "independent", "xgap": 0.16, "ygap": 0.28}


_SPECS: Mapping[str, Callable[[View], Spec]] = {
    "points": _points,
    "lines": _lines,
    "bars": _bars,
    "configs": _bars,
    "heat": _heat,
    "scatter": _scatter,
}
