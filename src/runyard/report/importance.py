"""Importance: how much of a metric's variance each swept axis explains. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from runyard.analyze import Axis, Group, LoadedSweep, groups_of, level

_FEWEST_CELLS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """An axis and the share of variance that its levels explain alone, between 0 and 1."""

    axis: Axis
    share: float


def importance_of(loaded: LoadedSweep, metric: str) -> tuple[Importance, ...]:
    """The importance of each axis that varies but for seeds, the greatest first.

    The share is eta squared of a one-way decomposition over the cells, that is the combinations of swept values with
    their mean over seeds: SS_between / SS_total = sum_l n_l (m_l - m)^2 / sum_c (y_c - m)^2, with y_c the mean of
    cell c, m the mean of all cells, and m_l the mean of the n_l cells at level l (R. A. Fisher, Statistical Methods
    for Research Workers, 1925, chapter VII; J. Cohen, Statistical Power Analysis, 1988, chapter 8). In a whole grid
    the shares add up to at most 1, and what is left are interactions. Where the grid has gaps, or values were
    sampled, shares overlap; an axis with a level for nearly every cell explains everything, and is left out.

    Returns:
        Empty for fewer than three cells or two axes, or when all cells have the same mean.
    """
    axes = [axis for axis in loaded.axes if axis.varies and axis.role != "seed"]
    cells = [g for g in groups_of(loaded.table, [axis.name for axis in axes], metric) if math.isfinite(g.mean)]
    if len(axes) < 2 or len(cells) < _FEWEST_CELLS:
        return ()
    middle = sum(cell.mean for cell in cells) / len(cells)
    total = sum((cell.mean - middle) ** 2 for cell in cells)
    if not total > 0 or not math.isfinite(total):
        return ()
    repeated = [(n, axis) for n, axis in enumerate(axes) if 2 * len(_levels(cells, n)) <= len(cells)]
    found = [Importance(axis=axis, share=min(1.0, _between(cells, n, middle) / total)) for n, axis in repeated]
    return tuple(sorted(found, key=lambda importance: -importance.share))


def _levels(cells: Sequence[Group], position: int) -> dict[object, list[float]]:
    levels: dict[object, list[float]] = {}
    for cell in cells:
        levels.setdefault(level(cell.key[position]), []).append(cell.mean)
    return levels


def _between(cells: Sequence[Group], position: int, middle: float) -> float:
    means = [(len(v), sum(v) / len(v)) for v in _levels(cells, position).values()]
    return sum(n * (mean - middle) ** 2 for n, mean in means)
