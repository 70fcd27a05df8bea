"""The figure that fits a sweep: which axis goes where. Pure; draws nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runyard.analyze import Axis

MAX_SERIES = 7
MAX_PANELS = 6
_LINE_POINTS = 3  # fewer numbers than this are shown as categories
_MAX_CONFIGS = 12
_SCATTER_PANELS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which figure, and what each axis is in it.

    kind: ``points`` (nothing but seeds varies), ``lines`` (over the numeric ``x``), ``bars`` (over the levels of
    ``x``), ``heat`` (over ``x`` and ``y``), ``configs`` (a bar per combination of ``shown``: few, and no grid) or
    ``scatter`` (against each of ``shown``: many, and no grid). ``series`` are told apart by colour and ``facets`` by
    panels. ``averaged`` axes vary and have no place: their jobs are averaged as seeds are.
    """

    kind: Literal["points", "lines", "bars", "heat", "configs", "scatter"]
    x: Axis | None = None
    y: Axis | None = None
    series: Axis | None = None
    facets: tuple[Axis, ...] = ()
    shown: tuple[Axis, ...] = ()
    averaged: tuple[Axis, ...] = ()

    @property
    def by(self) -> tuple[str, ...]:
        """Columns by which jobs are grouped: facets, series, then y and x; or those shown."""
        placed = (*self.facets, self.series, self.y, self.x) if not self.shown else self.shown
        return tuple(axis.name for axis in placed if axis is not None)


def choose_layout(axes: Sequence[Axis], combinations: int) -> Layout:
    """The figure for these axes.

    Settings come before replicates (days, folds), which are averaged unless nothing else varies.
    Two numeric axes make a heat map, the one with fractions and more values first; one makes lines; none, bars.
    Of the other axes one becomes the series (not in a heat map), up to two more the panels; the rest is averaged.

    Args:
        axes: all swept axes.
        combinations: how many different combinations of the settings the sweep has; far fewer than a grid's means
            that values were sampled or zipped.
    """
    varying = [axis for axis in axes if axis.varies and axis.role != "seed"]
    settings = [axis for axis in varying if axis.role == "setting"] or varying[:1]
    replicates = tuple(axis for axis in varying if axis not in settings)
    if not settings:
        return Layout(kind="points")
    if len(settings) > 1 and math.prod(len(axis.values) for axis in settings) > 2 * combinations:
        return _no_grid(settings, combinations, replicates)
    continuous = sorted((axis for axis in settings if _is_long(axis)), key=_continuous_first)
    if len(continuous) >= 2:
        x, y = sorted(continuous[:2], key=lambda axis: -len(axis.values))
        facets, averaged = _facets([axis for axis in settings if axis not in (x, y)])
        return Layout(kind="heat", x=x, y=y, facets=facets, averaged=(*averaged, *replicates))
    x = continuous[0] if continuous else max(settings, key=lambda axis: len(axis.values))
    rest = [axis for axis in settings if axis is not x]
    series = next((axis for axis in rest if len(axis.values) <= MAX_SERIES), None)
    facets, averaged = _facets([axis for axis in rest if axis is not series])
    kind: Literal["lines", "bars"] = "lines" if continuous else "bars"
    return Layout(kind=kind, x=x, series=series, facets=facets, averaged=(*averaged, *replicates))


def _no_grid(settings: Sequence[Axis], combinations: int, replicates: tuple[Axis, ...]) -> Layout:
    if combinations <= _MAX_CONFIGS:
        return Layout(kind="configs", shown=tuple(settings), averaged=replicates)
    shown, unshown = settings[:_SCATTER_PANELS], settings[_SCATTER_PANELS:]
    return Layout(kind="scatter", shown=tuple(shown), averaged=(*unshown, *replicates))


def _is_long(axis: Axis) -> bool:
    return axis.kind == "numeric" and len(axis.values) >= _LINE_POINTS


def _continuous_first(axis: Axis) -> tuple[bool, int]:
    whole = all(float(value) == int(value) for value in axis.values if isinstance(value, (int, float)))
    return whole, -len(axis.values)


def _facets(axes: Sequence[Axis]) -> tuple[tuple[Axis, ...], tuple[Axis, ...]]:
    """Up to two axes for panels, those with the fewest levels first, as long as the panels fit; and the rest."""
    chosen: list[Axis] = []
    panels = 1
    for axis in sorted(axes, key=lambda axis: len(axis.values)):
        if len(chosen) < 2 and panels * len(axis.values) <= MAX_PANELS:
            chosen.append(axis)
            panels *= len(axis.values)
    facets = tuple(axis for axis in axes if axis in chosen)
    return facets, tuple(axis for axis in axes if axis not in chosen)
