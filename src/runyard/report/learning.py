"""Learning curves: what jobs emitted step by step, averaged within cells. Reads tables/<name>.csv."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runyard.analyze import Axis, Cell, LoadedSweep, is_bookkeeping, level, t_quantile
from runyard.record import SweepPaths
from runyard.report import paper
from runyard.report.caption import footnote, wrapped
from runyard.report.cells import place_text
from runyard.report.importance import importance_of
from runyard.report.interactive import filled, plain_text
from runyard.report.layout import MAX_SERIES
from runyard.report.plate import Plate, Spec
from runyard.report.view import View, plain
from runyard.report.wording import count, listing, shorten

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_STEP = re.compile(r"(?i)(.*[_/.])?(step|epoch|iteration|iter|timestep|update|round)s?")
_MOST_BYTES = 100_000_000
_MOST_TABLES = 4
_MOST_COLUMNS = 4
_MOST_STEPS = 200
_UPPER = 0.975  # of a two-sided interval of 95 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One line: its label, its steps in rising order, and at each the mean over jobs and the interval's half width.

    The half width is NaN where fewer than two jobs have the step.
    """

    label: str
    steps: tuple[float, ...]
    means: tuple[float, ...]
    halves: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """The curves of one column of one table; ``series`` are the axes that tell them apart."""

    table: str
    step: str
    column: str
    series: tuple[Axis, ...]
    curves: tuple[Curve, ...]


def learning_plates(view: View) -> list[Plate]:
    """A figure for each numeric column of each table that counts steps: at most 4 of each."""
    plates = []
    names: set[str] = set()
    for found in curves_of(view.loaded, view.metric):
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", f"learning-{found.table}-{found.column}")
        name = next(n for n in (stem, *(f"{stem}-{i}" for i in range(2, 99))) if n not in names)
        names.add(name)
        plates.append(_plate(view, found, name))
    return plates


def curves_of(loaded: LoadedSweep, metric: str) -> list[Curves]:
    """The curves of a sweep's tables, in the order of their names.

    Cells are told apart when they are at most seven; else the levels of the axis that matters most for ``metric``
    and has few; else all jobs are averaged. Tables of more than 100 MB are left out: they are to be plotted by hand.
    """
    series = _series(loaded, metric)
    found: list[Curves] = []
    for path in sorted(SweepPaths(loaded.dir).tables.glob("*.csv")):
        if len({curves.table for curves in found}) < _MOST_TABLES and path.stat().st_size <= _MOST_BYTES:
            found += _of_table(loaded, path, series)
    return found


def _series(loaded: LoadedSweep, metric: str) -> tuple[Axis, ...]:
    axes = [axis for axis in loaded.axes if axis.varies and axis.role == "setting"]
    cells = {tuple(level(loaded.table.columns[axis.name][at]) for axis in axes) for at in range(len(loaded.table))}
    if len(cells) <= MAX_SERIES:
        return tuple(axes)
    ranked = [item.axis for item in importance_of(loaded, metric)]
    few = [axis for axis in (*ranked, *axes) if axis in axes and len(axis.values) <= MAX_SERIES]
    return tuple(few[:1])


def _of_table(loaded: LoadedSweep, path: Path, series: tuple[Axis, ...]) -> list[Curves]:
    own = [name for name in _header(path) if name not in ("job", "state", *loaded.names)]
    if not any(_STEP.fullmatch(name) for name in own):
        return []
    import pandas as pd

    frame = pd.read_csv(path, low_memory=False, usecols=["job", *own])
    step = next((name for name in own if _STEP.fullmatch(name) and _is_numeric(pd, frame[name])), None)
    if step is None or not _rises(frame, step):
        return []
    numeric = [name for name in own if name != step and _is_numeric(pd, frame[name]) and not _STEP.fullmatch(name)]
    told = [name for name in numeric if not is_bookkeeping(name) and frame[name].nunique() > 1]
    return [
        Curves(
            table=path.stem,
            step=step,
            column=column,
            series=series,
            curves=tuple(_curves(loaded, frame, step, column, series)),
        )
        for column in told[:_MOST_COLUMNS]
    ]


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


def _is_numeric(pd: Any, cells: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells) and cells.notna().any())


def _rises(frame: pd.DataFrame, step: str) -> bool:
    """Whether some job has more than one step."""
    return bool((frame.groupby("job")[step].nunique() > 1).any())


def _curves(loaded: LoadedSweep, frame: pd.DataFrame, step: str, column: str, series: Sequence[Axis]) -> list[Curve]:
    columns = loaded.table.columns
    cells: dict[tuple[Cell, ...], list[int]] = {}
    for at, run in enumerate(loaded.runs):
        cells.setdefault(tuple(level(columns[axis.name][at]) for axis in series), []).append(run.job)
    curves = []
    for key, jobs in cells.items():
        rows = frame.loc[frame["job"].isin(jobs), ["job", step, column]].dropna()
        rows = rows[rows[column].abs() < math.inf]
        if len(rows):
            curves.append(_curve(rows, step, column, place_text(loaded, series, key)))
    return curves


def _curve(rows: pd.DataFrame, step: str, column: str, label: str) -> Curve:
    """The mean over jobs at each step; a job's rows of one step (scenarios, agents) are averaged first."""
    by_job = rows.groupby(["job", step], sort=True)[column].mean().reset_index()
    stats = by_job.groupby(step, sort=True)[column].agg(["mean", "std", "count"])
    every = -(-len(stats) // _MOST_STEPS)
    last = stats.tail(1) if (len(stats) - 1) % every else stats.tail(0)
    kept = [*stats.iloc[::every].itertuples(), *last.itertuples()]
    halves = [
        float(row[2]) / math.sqrt(row[3]) * t_quantile(_UPPER, int(row[3]) - 1) if row[3] > 1 else math.nan
        for row in kept
    ]
    return Curve(
        label=label,
        steps=tuple(float(row[0]) for row in kept),
        means=tuple(float(row[1]) for row in kept),
        halves=tuple(halves),
    )


def _plate(view: View, found: Curves, name: str) -> Plate:
    names = listing(view.names[axis.name] for axis in found.series)
    over = f", by {names}" if found.series else ""
    heading = f"{shorten(found.column, 36)} over {shorten(found.step, 24)}{over} (table {shorten(found.table, 24)})"
    parts = ["each line is the mean over jobs at each step"]
    if any(math.isfinite(half) for curve in found.curves for half in curve.halves):
        parts.append("band: 95 % interval of the mean (Student's t)")
    jobs = [run for run in view.loaded.runs if run.state.value != "COMPLETED"]
    parts += [f"{count(len(jobs), 'job')} that did not complete are in as far as they came"] if jobs else []
    parts += footnote(view)
    return Plate(
        name=name,
        title=heading,
        caption=" · ".join(parts),
        spec=_spec(found),
        paper=lambda: _draw(found, heading, parts),
    )


def _spec(found: Curves) -> Spec:
    data: list[dict[str, Any]] = []
    for n, curve in enumerate(found.curves):
        colour = paper.COLOURS[n % len(paper.COLOURS)]
        known = [i for i, half in enumerate(curve.halves) if math.isfinite(half)]
        group = {"legendgroup": f"{n}"}
        if len(known) > 1:
            lower = [curve.means[i] - curve.halves[i] for i in known]
            upper = [curve.means[i] + curve.halves[i] for i in known]
            data.append(filled([curve.steps[i] for i in known], lower, upper, colour, group))
        data.append(
            {
                "type": "scatter",
                "mode": "lines" if len(curve.steps) > 1 else "markers",
                "x": list(curve.steps),
                "y": list(curve.means),
                "name": plain_text(curve.label),
                "line": {"color": colour, "width": 2},
                "showlegend": len(found.curves) > 1,
                **group,
            }
        )
    layout = {
        "height": 400,
        "xaxis": {"title": {"text": plain_text(found.step)}, "automargin": True},
        "yaxis": {"title": {"text": plain_text(found.column)}, "automargin": True},
    }
    return {"data": data, "layout": layout}


def _draw(found: Curves, heading: str, parts: Sequence[str]) -> Figure:
    figure = paper.sheet(paper.WIDTH_IN, paper.HEIGHT_IN)
    axes = figure.subplots()
    for n, curve in enumerate(found.curves):
        style: dict[str, Any] = {
            "color": paper.COLOURS[n % len(paper.COLOURS)],
            "linestyle": paper.LINES[n % len(paper.LINES)],
        }
        marker = "o" if len(curve.steps) == 1 else None
        axes.plot(
            curve.steps, curve.means, label=plain(shorten(curve.label, 40)), linewidth=1.4, marker=marker, **style
        )
        low = [mean - half for mean, half in zip(curve.means, curve.halves, strict=True)]
        high = [mean + half for mean, half in zip(curve.means, curve.halves, strict=True)]
        axes.fill_between(curve.steps, low, high, color=style["color"], alpha=0.14, linewidth=0)
    axes.set_xlabel(plain(found.step))
    axes.set_ylabel(plain(found.column))
    axes.grid(axis="y")
    if len(found.curves) > 1:
        figure.legend(loc="outside right upper", frameon=False)
    paper.inscribe(figure, plain(shorten(heading, 90)), wrapped(parts))
    return figure
