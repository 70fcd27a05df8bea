"""The caption under a figure: over what it averages, of how many jobs, and what is left out. Pure."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from runyard.analyze import Axis
from runyard.base import State
from runyard.report.view import View, plain
from runyard.report.wording import count, levels, listing, shorten

_INTERVAL_IS = {"lines": "bands", "points": "band", "bars": "whiskers", "configs": "whiskers"}
_FIXED_AT_MOST = 4
_LINE_WIDTH = 132
_NO_BREAK = "\u00a0"


def title(view: View) -> str:
    """``meituan: savings over gamma and tau, by d``."""
    layout = view.layout
    metric = plain(shorten(view.metric, 36))
    if layout.kind == "points":
        said = metric
    elif layout.kind in ("configs", "scatter"):
        said = f"{metric} by {listing(view.name(axis) for axis in layout.shown)}"
    else:
        over = listing(view.name(axis) for axis in (layout.x, layout.y) if axis is not None)
        by = [view.name(axis) for axis in (layout.series, *layout.facets) if axis is not None]
        said = f"{metric} over {over}" + (f", by {listing(by)}" if by else "")
    return shorten(f"{plain(shorten(view.loaded.sweep.experiment, 30))}: {said}", 96)


def caption(view: View, remarks: Sequence[str]) -> str:
    """The caption in lines that fit the width; its shorter parts are not broken."""
    return wrapped([_averages(view), _interval(view), *remarks, *footnote(view)])


def wrapped(parts: Sequence[str]) -> str:
    """Parts of a caption in lines that fit the width; the shorter ones are not broken."""
    kept = [part.replace(" ", _NO_BREAK) if len(part) < _LINE_WIDTH // 2 else part for part in parts if part]
    return textwrap.fill(plain(" · ".join(kept)), _LINE_WIDTH)


def footnote(view: View) -> list[str]:
    """What every figure of a sweep says last: fixed values, what is left out, which sweep."""
    return [part for part in (_fixed(view), _left_out(view), view.loaded.sweep.sweep_id) if part]


def _averages(view: View) -> str:
    groups = view.drawn()
    low, high = min(group.n for group in groups), max(group.n for group in groups)
    seeds = [axis for axis in view.loaded.axes if axis.role == "seed" and axis.varies]
    over = [_over(view, axis) for axis in view.layout.averaged]
    over += [count(len(axis.values), "seed") for axis in seeds]
    if view.layout.kind == "points":
        return f"each point is one job; n = {high:,}"
    if high == 1 and not over:
        return "each value is one job"
    n = f"n = {low:,}" if low == high else f"n = {low:,} to {high:,}"
    return f"averaged over {listing(over)}, {n} jobs each" if over else f"means of {n} jobs each"


def _over(view: View, axis: Axis) -> str:
    return f"{view.names[axis.name]} ({count(len(axis.values), 'value')})"


def _interval(view: View) -> str:
    drawn = _INTERVAL_IS.get(view.layout.kind)
    if drawn is None or max(group.n for group in view.drawn()) < 2:
        return ""
    of = "the mean over these jobs" if view.layout.averaged else "the mean"
    return f"{drawn}: 95 % interval of {of} (Student's t)"


def _fixed(view: View) -> str:
    """Swept names that take one value."""
    fixed = [axis for axis in view.loaded.axes if not axis.varies]
    said = [f"{view.names[axis.name]} = {shorten(levels(axis.values)[0], 24)}" for axis in fixed[:_FIXED_AT_MOST]]
    more = len(fixed) - len(said)
    return ", ".join([*said, f"and {more} more"] if more else said)


def _left_out(view: View) -> str:
    states = view.loaded.table.columns["state"]
    cells = view.loaded.table.columns[view.metric]
    done = [cell for cell, state in zip(cells, states, strict=True) if state == State.COMPLETED]
    unfinished = len(states) - len(done)
    absent = sum(cell is None for cell in done)
    unreal = sum(isinstance(cell, float) and not math.isfinite(cell) for cell in done)
    parts = [
        f"{unfinished:,} of {count(len(states), 'job')} have not completed" if unfinished else "",
        f"{count(unreal, 'value')} not finite, left out" if unreal else "",
        f"{count(absent, 'job')} without this metric" if absent else "",
    ]
    return ", ".join(part for part in parts if part)
