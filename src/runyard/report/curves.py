"""Figures of lines and points: over one numeric axis, over seeds only, and against each of several sampled axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from runyard.analyze import Axis, Cell, Group, level
from runyard.report import paper
from runyard.report.view import View, labels_of, plain
from runyard.report.wording import interval, number, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LABELLED_POINTS = 30


def draw_lines(figure: Figure, view: View) -> list[str]:
    """The metric over one numeric axis, a line per level of the series, with the interval as a band."""
    x = view.layout.x
    if x is None:
        raise ValueError("lines need an x axis")
    series = view.layout.series
    handles: list[Any] = []
    suffix = ""
    means = [group.mean for group in view.drawn()]
    limits = paper.interval_limits(view.drawn())
    for axes, place in paper.panel_axes(figure, view):
        keys = [{series.name: value} for value in series.values] if series else [{}]
        handles = [_line(axes, _points(view, {**place, **key}, x), number_, limits) for number_, key in enumerate(keys)]
        paper.number_axis(axes, x)
        suffix = paper.value_scale(axes, means)
        axes.grid(axis="y")
    paper.label_panels(figure, view, view.name(x), paper.metric_label(view) + suffix)
    paper.series_legend(figure, view, handles)
    return paper.cut_remarks(view.drawn(), limits)


def _points(view: View, place: dict[str, Cell], x: Axis) -> list[tuple[float, Group]]:
    found = [(float(v), view.group({**place, x.name: v})) for v in x.values if isinstance(v, (int, float))]
    return [(value, group) for value, group in found if group is not None]


def _line(axes: Axes, points: Sequence[tuple[float, Group]], number_: int, limits: tuple[float, float]) -> Any:
    colour, marker, dashes = paper.COLOURS[number_], paper.MARKERS[number_], paper.LINES[number_]
    size = (6.0 if len(points) <= 30 else 3.0) - 0.4 * number_
    xs, means = [value for value, _ in points], [group.mean for _, group in points]
    (line,) = axes.plot(xs, means, dashes, color=colour, marker=marker, markersize=size, linewidth=1.4)
    halves = [paper.cut(group, limits) if math.isfinite(group.ci95) else (0.0, 0.0) for _, group in points]
    low = [mean - below for mean, (below, _) in zip(means, halves, strict=True)]
    high = [mean + above for mean, (_, above) in zip(means, halves, strict=True)]
    axes.fill_between(xs, low, high, color=colour, alpha=0.16, linewidth=0)
    return line


def draw_points(figure: Figure, view: View) -> list[str]:
    """A point per job, the mean as a line and its interval as a band: when nothing but seeds varies."""
    axes = figure.subplots()
    table = view.loaded.table
    done = [i for i, state in enumerate(table.columns["state"]) if state == "COMPLETED"]
    values = [(i, cell) for i in done if isinstance(cell := table.columns[view.metric][i], (int, float))]
    finite = [(i, float(value)) for i, value in values if math.isfinite(value)]
    group = next(iter(view.groups.values()))
    seeds = [axis for axis in view.loaded.axes if axis.role == "seed" and axis.varies]
    ticks = [plain(shorten(str(table.columns[seeds[0].name if len(seeds) == 1 else "job"][i]), 12)) for i, _ in finite]
    axes.plot(range(len(finite)), [value for _, value in finite], "o", color=paper.COLOURS[0], markersize=5)
    if len(finite) <= _LABELLED_POINTS:
        axes.set_xticks(range(len(finite)), ticks, rotation=0 if sum(map(len, ticks)) < 60 else 90)
        axes.set_xlabel(view.name(seeds[0]) if len(seeds) == 1 else "job")
    else:
        axes.set_xlabel(f"{len(finite):,} jobs in order")
    axes.set_ylabel(plain(shorten(view.metric, 40)))
    _mean_line(axes, group, [value for _, value in finite])
    axes.margins(x=0.08, y=0.15)
    axes.grid(axis="y")
    return []


def _mean_line(axes: Axes, group: Group, values: list[float]) -> None:
    if len(values) == 1:
        axes.annotate(number(values[0]), (0, values[0]), xytext=(8, 4), textcoords="offset points")
    if len(values) < 2 or not math.isfinite(group.mean):
        return
    axes.axhline(group.mean, color=paper.GREY, linewidth=1.2)
    if math.isfinite(group.ci95):
        axes.axhspan(group.mean - group.ci95, group.mean + group.ci95, color=paper.GREY, alpha=0.15, linewidth=0)
    axes.set_title(f"mean {interval(group.mean, group.ci95)}", loc="right", color=paper.GREY)


def draw_scatter(figure: Figure, view: View) -> list[str]:
    """The metric against each axis in a panel of its own, a point per combination: when values were sampled."""
    shown = view.layout.shown
    columns = min(3, len(shown)) if len(shown) != 4 else 2
    grid = figure.subplots(math.ceil(len(shown) / columns), columns, sharey=True, squeeze=False)
    means = [group.mean for group in view.drawn()]
    suffix = ""
    for position, axes in enumerate(grid.flat):
        if position >= len(shown):
            figure.delaxes(axes)
            continue
        _cloud(axes, view, position)
        suffix = paper.value_scale(axes, means)
        axes.grid(axis="y")
    for axes in grid[:, 0]:
        axes.set_ylabel(paper.metric_label(view) + suffix)
    return []


def _cloud(axes: Axes, view: View, position: int) -> None:
    axis = view.layout.shown[position]
    groups = view.drawn()
    if axis.kind == "numeric":
        xs = [float(cell) for group in groups if isinstance(cell := group.key[position], (int, float))]
        values = [float(value) for value in axis.values if isinstance(value, (int, float))]
        if len(values) <= 8:
            paper.number_axis(axes, axis)
        elif values[0] > 0 and values[-1] / values[0] >= 100:
            axes.set_xscale("log")
    else:
        places = {level(value): float(place) for place, value in enumerate(axis.values)}
        xs = [places[level(group.key[position])] for group in groups]
        labels = labels_of(axis)
        axes.set_xticks(range(len(labels)), labels, rotation=0 if sum(map(len, labels)) < 24 else 90)
        axes.set_xlim(-0.5, len(labels) - 0.5)
    axes.plot(xs, [group.mean for group in groups], "o", color=paper.COLOURS[0], markersize=3.5, alpha=0.6)
    axes.set_xlabel(view.name(axis))
