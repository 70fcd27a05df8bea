"""The values behind each mean: what jobs of one cell reported, cell by cell. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from runyard.analyze import Axis, Cell, LoadedSweep, level
from runyard.base import State
from runyard.report.wording import level_labels, short_names, shorten


@dataclass(frozen=True, slots=True, kw_only=True)
class CellValues:
    """A cell as text, and the finite values of its COMPLETED jobs, with the jobs' numbers."""

    label: str
    values: tuple[float, ...]
    jobs: tuple[int, ...]

    @property
    def mean(self) -> float:
        """The mean of the values."""
        return sum(self.values) / len(self.values)


def place_text(loaded: LoadedSweep, axes: Sequence[Axis], key: Sequence[Cell]) -> str:
    """``gamma=0.5, tau=0``: names and values as short as tells them apart; ``all jobs`` without axes."""
    names = short_names(loaded.names, taken=loaded.metrics)
    pairs = zip(axes, key, strict=True)
    said = (f"{names[axis.name]}={shorten(level_labels(axis.values)[level(cell)], 40)}" for axis, cell in pairs)
    return ", ".join(said) or "all jobs"


def cell_values(loaded: LoadedSweep, metric: str) -> list[CellValues]:
    """The cells that have values, in the order in which jobs first have them; over all repetitions (seeds, days)."""
    axes = [axis for axis in loaded.axes if axis.role == "setting" and axis.varies]
    columns = loaded.table.columns
    found: dict[tuple[Cell, ...], list[tuple[int, float]]] = {}
    for at, run in enumerate(loaded.runs):
        value = columns[metric][at]
        if run.state is State.COMPLETED and isinstance(value, (int, float)) and math.isfinite(value):
            key = tuple(level(columns[axis.name][at]) for axis in axes)
            found.setdefault(key, []).append((run.job, float(value)))
    return [
        CellValues(
            label=place_text(loaded, axes, key),
            values=tuple(value for _, value in pairs),
            jobs=tuple(job for job, _ in pairs),
        )
        for key, pairs in found.items()
    ]
