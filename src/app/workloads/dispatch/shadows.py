"""Shadows: what it costs to use up a job now, because it might have had a better partner later."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.workloads.dispatch.jobs import Jobs

CELLS = 6  # the map is cut into CELLS x CELLS cells, for origins and for destinations alike


def naive(jobs: Jobs) -> NDArray[np.float64]:
    """No cost; shape (n,)."""
    return np.zeros(len(jobs))


def potential(jobs: Jobs) -> NDArray[np.float64]:
    """Half the length of the trip, the most that a job can contribute to any pair's reward; shape (n,).

    Source: Ma, Ma, Romero, Potential-Based Greedy Matching for Dynamic Delivery Pooling, arXiv 2502.16862.
    """
    return jobs.length / 2


def historical_mean(jobs: Jobs, history: Sequence[tuple[Jobs, NDArray[np.float64]]]) -> NDArray[np.float64]:
    """The mean hindsight dual of past jobs with the same cells of origin and destination.

    The cells are those of a square grid over the box around all past points; points outside count to the nearest
    cell. A pair of cells without past jobs takes the mean over its cell of origin, and that failing the mean over all.

    Args:
        jobs: n jobs.
        history: past days, each with its duals; at least one.

    Returns:
        Shadows; shape (n,).
    """
    past = [np.concatenate([day.origin, day.destination], axis=1) for day, _ in history]
    corners = np.concatenate([past_points.reshape(-1, 2) for past_points in past])
    low, span = corners.min(axis=0), np.ptp(corners, axis=0)
    value = np.concatenate([dual for _, dual in history])
    origin, trip = _cells(np.concatenate(past), low, span)
    own_origin, own_trip = _cells(np.concatenate([jobs.origin, jobs.destination], axis=1), low, span)
    shadow = np.full(len(jobs), value.mean())
    for past_cell, own_cell, count in ((origin, own_origin, CELLS**2), (trip, own_trip, CELLS**4)):
        number = np.bincount(past_cell, minlength=count)
        total = np.bincount(past_cell, weights=value, minlength=count)
        known = number[own_cell] > 0
        shadow[known] = (total[own_cell] / np.maximum(number[own_cell], 1))[known]
    return shadow


def _cells(
    points: NDArray[np.float64], low: NDArray[np.float64], span: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cells of origin and cells of (origin, destination) of points (n, 4), as numbers; each of shape (n,)."""
    part = (points.reshape(-1, 2) - low) / np.where(span > 0, span, 1.0)
    place = np.clip((part * CELLS).astype(np.int64), 0, CELLS - 1)
    cell = (place[:, 0] * CELLS + place[:, 1]).reshape(-1, 2)
    return cell[:, 0], cell[:, 0] * CELLS**2 + cell[:, 1]
