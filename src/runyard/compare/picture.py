"""The picture of a comparison: for each metric the means of the sides, and the differences from the baseline."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runyard.analyze import cell_text
from runyard.base import UsageError, write_bytes
from runyard.compare.comparison import Comparison
from runyard.compare.contrast import Contrast, Verdict
from runyard.statistics import describe

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_METRICS = 8
_MOST_ROWS = 16
_ROW_IN = 0.34
_DOTS_PER_INCH = 160
_INK, _FAINT = "#1f2933", "#9aa5b1"
_COLOURS = {
    Verdict.BETTER: "#1a7f4b",
    Verdict.WORSE: "#b42318",
    Verdict.HIGHER: "#1f5fa8",
    Verdict.LOWER: "#1f5fa8",
}


def draw_comparison(comparison: Comparison, path: Path) -> str | None:
    """Draws a PNG and writes it in one step: a row of two panels for each metric.

    On the left are the means of the sides, on the right the differences from the baseline, first of all cells together,
    then of each; with their intervals.

    Returns:
        None, or a sentence that says what does not fit on it.

    Raises:
        UsageError: matplotlib is not installed, or there is nothing to draw.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError(
            "matplotlib is not installed", where=path.name, todo="pip install 'runyard[figures]'"
        ) from error
    metrics = comparison.metrics[:_MOST_METRICS]
    rows = {metric: [c for c in comparison.contrasts if c.metric == metric][:_MOST_ROWS] for metric in metrics}
    if not any(rows.values()):
        raise UsageError("no metric is on both sides", where=path.name, todo="see runyard results")
    heights = [1.0 + _ROW_IN * max(len(rows[m]), len(comparison.sides)) for m in metrics]
    figure = Figure(figsize=(10, sum(heights) + 0.4), layout="constrained")
    panels = figure.subplots(len(metrics), 2, squeeze=False, gridspec_kw={"height_ratios": heights})
    for (left, right), metric in zip(panels, metrics, strict=True):
        _draw_means(left, comparison, metric)
        _draw_differences(right, rows[metric], comparison)
    data = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(data, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None}, facecolor="white")
    write_bytes(path, data.getvalue())
    return _left_out(comparison, rows)


def _draw_means(axes: Axes, comparison: Comparison, metric: str) -> None:
    for at, side in enumerate(comparison.sides):
        values = [one.metrics[metric] for one in side.observations() if metric in one.metrics]
        found = describe(values, level=comparison.level)
        if found.n == 0:
            continue
        axes.plot(values, [at] * len(values), "|", color=_FAINT, markersize=8)
        axes.plot([found.mean], [at], "o", color=_INK, markersize=5)
        if found.interval is not None:
            axes.plot([found.interval.low, found.interval.high], [at, at], "-", color=_INK, linewidth=1.6)
    _rows(axes, [side.label for side in comparison.sides])
    axes.set_title(metric, loc="left", fontsize=10, fontweight="bold", color=_INK)
    axes.set_xlabel(f"mean and {comparison.level:.0%} interval; a tick for each run", fontsize=8)


def _draw_differences(axes: Axes, contrasts: Sequence[Contrast], comparison: Comparison) -> None:
    axes.axvline(0, color=_FAINT, linewidth=1)
    several = len(comparison.sides) > 2
    for at, one in enumerate(contrasts):
        colour = _COLOURS.get(one.verdict, _INK)
        found = one.difference
        if found.interval is not None:
            axes.plot([found.interval.low, found.interval.high], [at, at], "-", color=colour, linewidth=1.6)
        axes.plot([found.estimate], [at], "o", color=colour, markersize=5)
        axes.annotate(str(one.verdict), (1.02, at), xycoords=("axes fraction", "data"), va="center", fontsize=8)
    _rows(axes, [_named(one, several) for one in contrasts])
    axes.set_xlabel(f"difference from {comparison.sides[0].label}", fontsize=8)


def _rows(axes: Any, labels: Sequence[str]) -> None:
    axes.set_yticks(range(len(labels)), [label if len(label) < 40 else f"{label[:38]}…" for label in labels])
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.tick_params(labelsize=8, colors=_INK)
    axes.grid(axis="x", alpha=0.25)
    axes.ticklabel_format(axis="x", useOffset=False)
    axes.locator_params(axis="x", nbins=6)
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _named(contrast: Contrast, several: bool) -> str:
    cell = ", ".join(f"{short(name)}={cell_text(value)}" for name, value in contrast.setting)
    return f"{contrast.candidate}: {cell or 'all'}" if several else cell or "all"


def short(name: str) -> str:
    """The last part of a swept name, as people say it."""
    return name.lstrip("+").rpartition(".")[2]


def _left_out(comparison: Comparison, rows: dict[str, list[Contrast]]) -> str | None:
    metrics = len(comparison.metrics) - len(rows)
    cells = sum(c.metric in rows for c in comparison.contrasts) - sum(map(len, rows.values()))
    told = [f"{metrics} more metrics"] * (metrics > 0) + [f"{cells} more cells"] * (cells > 0)
    return f"{' and '.join(told)} are in compare.csv only" if told else None
