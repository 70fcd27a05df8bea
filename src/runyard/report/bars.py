"""Figures of bars: grouped over the levels of an axis, or one for each combination of values."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runyard.analyze import Cell, Group, level
from runyard.report import paper
from runyard.report.view import View, labels_of, plain
from runyard.report.wording import level_labels, number, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_CATEGORIES = 24
_UPRIGHT_AT_MOST = 8
_UPRIGHT_CHARACTERS = 64
_LABELLED_BARS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """The categories of a bar chart: a label and a place for each, upright or lying."""

    labels: list[str]
    places: list[dict[str, Cell]]
    lying: bool
    remark: str = ""


def categories(view: View) -> Bars:
    """The bars of a view; when there are too many, those with the highest and the lowest values."""
    x = view.layout.x
    if x is None:
        places = [dict(zip(view.layout.by, group.key, strict=True)) for group in view.groups.values()]
        return Bars(labels=_combinations(view, places), places=places, lying=True)
    values = list(zip(x.values, labels_of(x), strict=True))
    remark = ""
    if len(values) > MAX_CATEGORIES:
        half = MAX_CATEGORIES // 2
        ranked = sorted(values, key=lambda pair: -_mean_at(view, x.name, pair[0]))
        values = [*ranked[:half], *ranked[-half:]]
        remark = f"the {half} highest and {half} lowest of {len(x.values):,} values of {view.name(x)}"
    labels = [label for _, label in values]
    columns = view.shape()[1]
    lying = len(labels) > _UPRIGHT_AT_MOST // min(columns, 2) or sum(map(len, labels)) > _UPRIGHT_CHARACTERS / columns
    return Bars(labels=labels, places=[{x.name: value} for value, _ in values], lying=lying, remark=remark)


def _combinations(view: View, places: Sequence[dict[str, Cell]]) -> list[str]:
    texts = {axis.name: level_labels(axis.values) for axis in view.layout.shown}
    said = [", ".join(f"{view.names[k]}={texts[k][level(v)]}" for k, v in place.items()) for place in places]
    return [plain(shorten(text, 48)) for text in said]


def _mean_at(view: View, name: str, value: Cell) -> float:
    position = view.layout.by.index(name)
    means = [group.mean for group in view.drawn() if level(group.key[position]) == level(value)]
    return sum(means) / len(means) if means else -math.inf


def draw_bars(figure: Figure, view: View) -> list[str]:
    """The metric as bars from zero with the interval as whiskers; a colour per level of the series."""
    bars = categories(view)
    series = view.layout.series
    keys: list[dict[str, Cell]] = [{series.name: value} for value in series.values] if series else [{}]
    handles: list[Any] = []
    limits = paper.interval_limits(view.drawn(), 0.0)
    numbered = len(bars.labels) * len(keys) * view.shape()[1] <= _LABELLED_BARS or (bars.lying and len(keys) == 1)
    for axes, place in paper.panel_axes(figure, view):
        handles = [
            _one_series(axes, _groups(view, bars, {**place, **key}), bars.lying, (n, len(keys)), numbered, limits)
            for n, key in enumerate(keys)
        ]
        _category_axis(axes, bars)
    category = "" if view.layout.x is None else view.name(view.layout.x)
    names = (category, paper.metric_label(view))
    paper.label_panels(figure, view, *(reversed(names) if bars.lying else names))
    paper.series_legend(figure, view, handles)
    return [*([bars.remark] if bars.remark else []), *paper.cut_remarks(view.drawn(), limits)]


def _groups(view: View, bars: Bars, place: dict[str, Cell]) -> list[Group | None]:
    return [view.group({**place, **category}) for category in bars.places]


def _one_series(
    axes: Axes,
    groups: Sequence[Group | None],
    lying: bool,
    part: tuple[int, int],
    numbered: bool,
    limits: tuple[float, float],
) -> Any:
    number_of_part, parts = part
    width = 0.8 / parts
    at = [i + (number_of_part - (parts - 1) / 2) * width for i in range(len(groups))]
    means = [0.0 if group is None else group.mean for group in groups]
    whiskers = [(math.nan, math.nan) if group is None else paper.cut(group, limits) for group in groups]
    style: dict[str, Any] = {"color": paper.COLOURS[number_of_part % len(paper.COLOURS)], "error_kw": {"linewidth": 1}}
    if any(math.isfinite(down) for down, _ in whiskers):
        style |= {"xerr" if lying else "yerr": list(zip(*whiskers, strict=True)), "capsize": 2.5}
    draw = axes.barh if lying else axes.bar
    container = draw(at, means, width * 0.92, **style)
    if numbered:
        texts = ["no result" if group is None else number(group.mean) for group in groups]
        axes.bar_label(container, texts, padding=3, fontsize=7, color="#333333")
    else:
        _mark_missing(axes, [place for place, group in zip(at, groups, strict=True) if group is None], lying)
    return container


def _mark_missing(axes: Axes, places: Sequence[float], lying: bool) -> None:
    """A cross on the base line where there is no result, so that it is not taken for a zero."""
    if not places:
        return
    zeros = [0.0] * len(places)
    xs, ys = (zeros, places) if lying else (places, zeros)
    axes.plot(xs, ys, "x", color=paper.GREY, markersize=4, clip_on=False, linestyle="none")


def _category_axis(axes: Axes, bars: Bars) -> None:
    count = len(bars.labels)
    if bars.lying:
        axes.set_yticks(range(count), bars.labels)
        axes.set_ylim(count - 0.4, -0.6)  # the first category on top
        axes.margins(x=0.12)
        axes.axvline(0, color="black", linewidth=0.8)
        axes.grid(axis="x")
    else:
        axes.set_xticks(range(count), [textwrap.fill(label, 16) for label in bars.labels])
        axes.margins(y=0.12)
        axes.axhline(0, color="black", linewidth=0.8)
        axes.grid(axis="y")
    axes.set_axisbelow(True)
