"""Maximum-weight matching in a general graph, with ties broken by a rule and not by the solver."""

from __future__ import annotations

import numpy as np
import rustworkx
from numpy.typing import NDArray


def max_weight_matching(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    weight: NDArray[np.float64],
    rank: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The matching of the greatest total weight.

    Among equals it is the one with the smallest sum of squared ranks; squares, because plain ranks tie again when
    two jobs are alike. Weight and rank are packed into one whole number, so the solver's arithmetic is exact and
    its own order does not matter.

    Args:
        first: one end of each edge; shape (m,).
        second: the other end; shape (m,). No edge occurs twice.
        weight: whole numbers above 0; shape (m,).
        rank: a permutation of 0..m-1: lower is preferred.

    Returns:
        Positions of the chosen edges, ascending; shape (k,).
    """
    if len(first) <= 1:
        return np.arange(len(first))
    nodes, ends = np.unique(np.stack([first, second]), return_inverse=True)
    ends = ends.reshape(2, -1)
    unit = 1 + (len(nodes) // 2) * len(first) ** 2  # above any matching's sum of squared ranks
    values = [int(w) * unit - r * r for w, r in zip(weight.tolist(), rank.tolist(), strict=True)]
    graph: rustworkx.PyGraph[None, int] = rustworkx.PyGraph(multigraph=False)
    graph.add_nodes_from([None] * len(nodes))
    graph.add_edges_from(list(zip(*ends.tolist(), values, strict=True)))
    position = {pair: k for k, pair in enumerate(zip(*ends.tolist(), strict=True))}
    matched = rustworkx.max_weight_matching(graph, weight_fn=int)
    return np.sort(np.array([position.get((a, b), position.get((b, a))) for a, b in matched], dtype=np.int64))


def distance_rank(
    distance: NDArray[np.float64], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Ranks of edges by (distance, first, second); each of shape (m,)."""
    rank = np.empty(len(distance), dtype=np.int64)
    rank[np.lexsort((second, first, distance))] = np.arange(len(distance))
    return rank
