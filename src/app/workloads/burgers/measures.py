"""The measures: how far predicted solutions are from the true ones. Pure."""

from __future__ import annotations

import math

import numpy as np

from .solver import Floats


def nrmse(predicted: Floats, true: Floats) -> float:
    """sqrt(sum (p - y)^2 / sum y^2) over everything; inf or nan for predictions that are."""
    with np.errstate(over="ignore", invalid="ignore"):
        return math.sqrt(float(((predicted - true) ** 2).sum()) / float((true**2).sum()))


def conservation_gap(predicted: Floats, start: Floats) -> float:
    """The largest distance of a predicted solution's mean from that at its start.

    Args:
        predicted: Shape (trajectories, times, points).
        start: Shape (trajectories, points).
    """
    return float(np.abs(predicted.mean(axis=2) - start.mean(axis=1)[:, None]).max())
