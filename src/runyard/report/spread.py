"""The figure of the spread within each cell: points for few values, boxes for more, violins for many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from runyard.report import paper
from runyard.report.caption import footnote, wrapped
from runyard.report.cells import CellValues, cell_values
from runyard.report.interactive import plain_text
from runyard.report.plate import Plate, Spec
from runyard.report.view import View, plain
from runyard.report.wording import count, number, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_CELLS = 24
_BOXES_FROM, _VIOLINS_FROM = 8, 30
_LABEL_WIDTH = 48
_ROW_PX = 30

Form = Literal["strip", "box", "violin"]


def form_for(n: int) -> Form:
    """How ``n`` values are shown: quartiles of fewer than 8 say less than the points, a density of 30 says more."""
    return "strip" if n < _BOXES_FROM else "box" if n < _VIOLINS_FROM else "violin"


def spread_plate(view: View) -> Plate | None:
    """The figure for the view's metric; None where no cell has two values, or there is but one cell of few values."""
    cells = cell_values(view.loaded, view.metric)
    most = max((len(cell.values) for cell in cells), default=0)
    form = form_for(most)
    if most < 2 or (len(cells) == 1 and form == "strip"):
        return None
    shown, remark = _chosen(cells)
    fewest = min(len(cell.values) for cell in shown)
    n = f"n = {most:,}" if fewest == most else f"n = {fewest:,} to {most:,}"
    what = {
        "strip": "each point is a job, the bar their mean",
        "box": "box: quartiles, line: median, whiskers: 1.5 times the quartile distance at most, points: jobs",
        "violin": "violin: density (Gaussian kernel), points: jobs",
    }[form]
    parts = [what, f"{n} jobs for each cell", *([remark] if remark else []), *footnote(view)]
    name = plain(shorten(view.metric, 36)).replace("\\$", "$")
    return Plate(
        name="spread",
        title=f"{name} of each job, by cell",
        caption=" · ".join(parts),
        spec=_spec(view, shown, form),
        paper=lambda: _draw(view, shown, form, parts),
    )


def _chosen(cells: Sequence[CellValues]) -> tuple[list[CellValues], str]:
    if len(cells) <= _MOST_CELLS:
        return list(cells), ""
    half = _MOST_CELLS // 2
    ranked = sorted(cells, key=lambda cell: -cell.mean)
    return [
        *ranked[:half],
        *ranked[-half:],
    ], f"the {half} highest and {half} lowest means of {count(len(cells), 'cell')}"


def _label(cell: CellValues) -> str:
    return shorten(cell.label, _LABEL_WIDTH)


def _spec(view: View, cells: Sequence[CellValues], form: Form) -> Spec:
    data: list[dict[str, Any]] = []
    for n, cell in enumerate(cells):
        trace: dict[str, Any] = {
            "x": list(cell.values),
            "y0": n,
            "orientation": "h",
            "name": plain_text(_label(cell)),
            "text": [f"job {job}" for job in cell.jobs],
            "hovertemplate": "%{text}: %{x}<extra></extra>",
            "marker": {"color": paper.COLOURS[0], "size": 6, "opacity": 0.7},
            "line": {"color": paper.COLOURS[0], "width": 1},
            "showlegend": False,
        }
        if form == "violin":
            trace |= {"type": "violin", "points": "all", "pointpos": 0, "jitter": 0.3, "meanline": {"visible": True}}
        elif form == "box":
            trace |= {"type": "box", "boxpoints": "all", "pointpos": 0, "jitter": 0.4}
        else:
            trace = _points_of(cell, n)
            data.append(_mean_of(cell, n))
        data.append(trace)
    ticks = {"tickvals": list(range(len(cells))), "ticktext": [plain_text(_label(cell)) for cell in cells]}
    layout = {
        "height": max(260, 110 + _ROW_PX * len(cells)),
        "xaxis": {"title": {"text": plain_text(shorten(view.metric, 40))}, "automargin": True},
        "yaxis": {**ticks, "range": [len(cells) - 0.4, -0.6], "automargin": True, "zeroline": False},
    }
    return {"data": data, "layout": layout}


def _points_of(cell: CellValues, at: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": list(cell.values),
        "y": [at] * len(cell.values),
        "text": [f"job {job}: {number(value)}" for job, value in zip(cell.jobs, cell.values, strict=True)],
        "hoverinfo": "text",
        "marker": {"color": paper.COLOURS[0], "size": 8, "opacity": 0.7},
        "showlegend": False,
    }


def _mean_of(cell: CellValues, at: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [cell.mean, cell.mean],
        "y": [at - 0.32, at + 0.32],
        "hovertemplate": f"mean {number(cell.mean)}<extra></extra>",
        "line": {"color": paper.COLOURS[1], "width": 2},
        "showlegend": False,
    }


def _draw(view: View, cells: Sequence[CellValues], form: Form, parts: Sequence[str]) -> Figure:
    figure = paper.sheet(paper.WIDTH_IN, max(2.6, 1.3 + 0.24 * len(cells)))
    axes = figure.subplots()
    places = list(range(len(cells)))
    values = [list(cell.values) for cell in cells]
    if form == "violin":
        several = [n for n in places if len(set(values[n])) > 1]  # a density needs two different values
        if several:
            axes.violinplot([values[n] for n in several], several, orientation="horizontal", widths=0.85)
    elif form == "box":
        axes.boxplot(values, positions=places, orientation="horizontal", widths=0.6, showfliers=False)
    for n, cell in enumerate(cells):
        small = form != "strip"
        axes.plot(
            cell.values, [n] * len(cell.values), "o", color=paper.COLOURS[0], markersize=2 if small else 4, alpha=0.6
        )
        if not small:
            axes.plot([cell.mean, cell.mean], [n - 0.32, n + 0.32], color=paper.COLOURS[1], linewidth=1.4)
    axes.set_yticks(places, [plain(_label(cell)) for cell in cells])
    axes.set_ylim(len(cells) - 0.4, -0.6)
    axes.set_xlabel(plain(shorten(view.metric, 40)))
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    paper.inscribe(figure, f"{plain(shorten(view.metric, 36))} of each job, by cell", wrapped(parts))
    return figure
