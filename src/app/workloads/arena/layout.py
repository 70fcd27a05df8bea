"""The layout: a square grid, where its buildings stand, and where each move leads.

Cells are numbered row by row from the top left, 0 to size * size - 1. Two mines stand in opposite corners, the
altar in a third one and the generator in the centre, so that every ore has to be carried. Moving against
the edge leaves an agent where it is; agents do not block one another, and may stand on buildings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import economy
from .economy import Recipe

ACTIONS = ("use", "up", "down", "left", "right")
USE, UP, DOWN, LEFT, RIGHT = range(5)
NO_BUILDING = -1
MIN_GRID_SIZE = 3

_MOVES = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A map.

    Attributes:
        size: Cells along a side.
        buildings: The recipe of each building: mine, mine, generator, altar.
        cells: The cell of each building, shape (buildings,).
        building_at: The building on each cell or `NO_BUILDING`, shape (cells,).
        next_cell: Where an action leads from a cell, shape (cells, actions).
    """

    size: int
    buildings: tuple[Recipe, ...]
    cells: npt.NDArray[np.int64]
    building_at: npt.NDArray[np.int64]
    next_cell: npt.NDArray[np.int64]


def make_layout(size: int, *, converters: bool) -> Layout:
    """The map with `size` cells along a side (at least 3)."""
    last = size - 1
    corner, opposite, centre, third = 0, size * size - 1, (size // 2) * size + size // 2, last
    buildings = (economy.MINE, economy.MINE, economy.GENERATOR, economy.altar(converters=converters))
    cells = np.array([corner, opposite, centre, third], dtype=np.int64)
    building_at = np.full(size * size, NO_BUILDING, dtype=np.int64)
    building_at[cells] = np.arange(len(buildings))
    rows, columns = np.divmod(np.arange(size * size), size)
    steps = [np.clip(rows + down, 0, last) * size + np.clip(columns + right, 0, last) for down, right in _MOVES]
    return Layout(
        size=size,
        buildings=buildings,
        cells=cells,
        building_at=building_at,
        next_cell=np.stack(steps, axis=1),
    )
