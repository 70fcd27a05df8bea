"""Groups of jobs that share values, and the mean, spread and interval of a metric within each. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from runyard.analyze.cells import Cell, level
from runyard.analyze.jobtable import JobTable, numbers
from runyard.analyze.student import t_quantile
from runyard.base import State

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Ints: TypeAlias = "np.ndarray[Any, np.dtype[np.intp]]"
Bools: TypeAlias = "np.ndarray[Any, np.dtype[np.bool_]]"
_UPPER = 0.975  # of a two-sided interval of 95 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A metric over the COMPLETED jobs that share the values ``key``.

    ``n`` finite values went into ``mean``; ``left_out`` jobs reported NaN or an infinite number and are left out, as
    are those that did not report the metric.
    ``std`` is the sample's (n - 1), ``ci95`` the half width of Student's 95 % interval of the mean; both are NaN
    for n < 2, and all are NaN for n = 0. ``jobs`` counts every job of the group, also those that did not complete.
    """

    key: tuple[Cell, ...]
    jobs: int
    n: int
    left_out: int
    mean: float
    std: float
    ci95: float
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Statistics of values in groups; each array has an entry per group. See ``Group`` for the names."""

    n: Ints
    mean: Floats
    std: Floats
    ci95: Floats


def group_index(table: JobTable, by: Sequence[str]) -> tuple[list[tuple[Cell, ...]], Ints]:
    """The groups of jobs that have equal cells in the columns ``by``.

    Returns:
        The cells of each group, in the order in which jobs first have them; and for each job its group's position.
    """
    places: dict[tuple[Cell, ...], int] = {}
    keys: list[tuple[Cell, ...]] = []
    index = np.zeros(len(table), dtype=np.intp)
    for job in range(len(table)):
        cells = tuple(table.columns[name][job] for name in by)
        place = places.setdefault(tuple(map(level, cells)), len(keys))
        if place == len(keys):
            keys.append(cells)
        index[job] = place
    return keys, index


def is_completed(table: JobTable) -> Bools:
    """For each job whether it is COMPLETED."""
    return np.array([state == State.COMPLETED for state in table.columns["state"]], dtype=bool)


def groups_of(table: JobTable, by: Sequence[str], metric: str) -> list[Group]:
    """The groups of ``group_index``, each with its statistics of a metric."""
    keys, index = group_index(table, by)
    done = is_completed(table)
    cells = table.columns[metric]
    values = numbers(cells)
    used = done & np.isfinite(values)
    found = moments(values[used], index[used], len(keys))
    there = np.array([cell is not None for cell in cells], dtype=bool)
    left_out = np.bincount(index[done & there & ~used], minlength=len(keys))
    jobs = np.bincount(index, minlength=len(keys))
    low, high = np.full(len(keys), np.inf), np.full(len(keys), -np.inf)
    np.minimum.at(low, index[used], values[used])
    np.maximum.at(high, index[used], values[used])
    return [
        Group(
            key=key,
            jobs=int(jobs[g]),
            n=int(found.n[g]),
            left_out=int(left_out[g]),
            mean=float(found.mean[g]),
            std=float(found.std[g]),
            ci95=float(found.ci95[g]),
            lowest=float(low[g]) if found.n[g] else float("nan"),
            highest=float(high[g]) if found.n[g] else float("nan"),
        )
        for g, key in enumerate(keys)
    ]


def moments(values: Floats, index: Ints, size: int) -> Moments:
    """Statistics of ``values`` (finite) in ``size`` groups; ``index`` names the group of each value.

    Deviations are summed from one value of each group, so that equal values have exactly that mean and a
    deviation of 0.
    """
    n = np.bincount(index, minlength=size)
    origin = np.zeros(size)
    origin[index[::-1]] = values[::-1]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mean = origin + np.bincount(index, values - origin[index], minlength=size) / n
        squares = np.bincount(index, (values - mean[index]) ** 2, minlength=size)
        std = np.where(n > 1, np.sqrt(squares / (n - 1)), np.nan)
        ci95 = std / np.sqrt(n) * np.array([t_quantile(_UPPER, int(k) - 1) if k > 1 else np.nan for k in n])
    return Moments(n=n, mean=mean, std=std, ci95=ci95)
