"""Pairs of jobs that could share a courier, and what each pair saves. Computes only temporal neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.workloads.dispatch.jobs import Jobs

# Quantities that decide (scores, weights, distances) are compared in whole multiples of this part of the map's
# extent. Hindsight duals make exact ties common (r_ij - y_j = y_i for every tight pair), and floats would break
# them by their last bit, which is some 1e-16 of the extent.
GRID_PART = 1e-10
_BLOCK_PAIRS = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Pairs (first < second) of jobs, sorted by (first, second).

    Attributes:
        start: pairs of the job i are start[i]:start[i + 1]; shape (n + 1,).
        first: shape (m,), as are all below.
        second: the later job.
        reward: r_ij, what the pair saves against two couriers, in the unit of the coordinates; may be negative.
        distance: |o_i - o_j| + |e_i - e_j|, which breaks ties.
        grid: quantities that differ by less than about this count as equal.
    """

    start: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    reward: NDArray[np.float64]
    distance: NDArray[np.float64]
    grid: float

    def __len__(self) -> int:
        return len(self.first)

    @property
    def jobs(self) -> int:
        """The number of jobs, with and without pairs."""
        return len(self.start) - 1

    def on_grid(self, quantity: NDArray[np.float64]) -> NDArray[np.float64]:
        """The quantity in whole multiples of the grid."""
        return np.asarray(np.rint(quantity / self.grid))

    def where(self, mask: NDArray[np.bool_]) -> Pairs:
        """The pairs that the mask keeps; shape of mask (m,)."""
        first = self.first[mask]
        return Pairs(
            start=np.searchsorted(first, np.arange(self.jobs + 1)).astype(np.int64),
            first=first,
            second=self.second[mask],
            reward=self.reward[mask],
            distance=self.distance[mask],
            grid=self.grid,
        )

    def rewarding(self) -> Pairs:
        """The pairs that save something: the offline graph."""
        return self.where(self.on_grid(self.reward) > 0)


def feasible_pairs(jobs: Jobs, d_us: int) -> Pairs:
    """All pairs with |t_i - t_j| <= d.

    Args:
        jobs: n jobs.
        d_us: sojourn window in microseconds.
    """
    beyond = np.searchsorted(jobs.time_us, jobs.time_us + d_us, side="right")
    counts = beyond - np.arange(len(jobs)) - 1
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    first = np.repeat(np.arange(len(jobs)), counts)
    second = np.arange(len(first)) - start[first] + first + 1
    reward, distance = np.empty(len(first)), np.empty(len(first))
    for block in _blocks(len(first)):
        reward[block], distance[block] = pair_rewards(jobs, first[block], second[block])
    return Pairs(
        start=start, first=first, second=second, reward=reward, distance=distance, grid=GRID_PART * jobs.extent
    )


def pair_rewards(
    jobs: Jobs, first: NDArray[np.int64], second: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rewards and distances of given pairs.

    r_ij = l_i + l_j - (shortest path over both origins, in either order, then both destinations, in either order).
    Every such path has the leg between the origins and the leg between the destinations; only the leg from the
    second origin to the first destination is free, and it may be any of the four.

    Args:
        jobs: the jobs.
        first: indices of jobs; shape (m,).
        second: indices of jobs; shape (m,).

    Returns:
        Rewards and distances, each of shape (m,).
    """
    length = jobs.length
    own = length[first], length[second]
    crossed = (
        _norm(jobs.origin[first] - jobs.destination[second]),
        _norm(jobs.origin[second] - jobs.destination[first]),
    )
    between = np.minimum(np.minimum(*own), np.minimum(*crossed))
    distance = _norm(jobs.origin[first] - jobs.origin[second]) + _norm(
        jobs.destination[first] - jobs.destination[second]
    )
    return own[0] + own[1] - distance - between, distance


def _norm(delta: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt((delta * delta).sum(axis=1)))


def _blocks(total: int) -> Iterator[slice]:
    """Slices that keep the temporary arrays at some tens of megabytes."""
    for begin in range(0, total, _BLOCK_PAIRS):
        yield slice(begin, begin + _BLOCK_PAIRS)
