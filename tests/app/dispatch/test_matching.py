from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from app.workloads.dispatch.matching import distance_rank, max_weight_matching


def best_by_enumeration(edges: list[tuple[int, int]], weight: list[int], rank: list[int]) -> list[int]:
    best, found = (0, 0), []
    for size in range(1, len(edges) + 1):
        for subset in combinations(range(len(edges)), size):
            ends = [end for k in subset for end in edges[k]]
            if len(set(ends)) < len(ends):
                continue
            value = (sum(weight[k] for k in subset), -sum(rank[k] ** 2 for k in subset))
            if value > best:
                best, found = value, list(subset)
    return found


@pytest.mark.parametrize("seed", range(60))
def test_the_matching_is_the_heaviest_and_among_equals_the_one_preferred(seed: int) -> None:
    rng = np.random.default_rng(seed)
    nodes = [tuple(sorted(pair)) for pair in combinations(rng.choice(50, 7, replace=False).tolist(), 2)]
    count = int(rng.integers(0, 12))
    edges = [nodes[k] for k in rng.choice(len(nodes), count, replace=False)]
    weight = rng.integers(1, 4 if seed % 2 else 10**12, count)
    rank = rng.permutation(count)
    first, second = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    found = max_weight_matching(first, second, weight.astype(float), rank)
    assert found.tolist() == best_by_enumeration(edges, weight.tolist(), rank.tolist())


def test_an_odd_cycle_is_matched_by_whole_edges() -> None:
    first, second = np.array([0, 1, 0]), np.array([1, 2, 2])
    found = max_weight_matching(first, second, np.array([5.0, 6.0, 4.0]), np.array([0, 1, 2]))
    assert found.tolist() == [1]


def test_ranks_follow_distance_then_indices() -> None:
    rank = distance_rank(np.array([2.0, 1.0, 1.0, 1.0]), np.array([0, 3, 1, 1]), np.array([9, 4, 8, 5]))
    assert rank.tolist() == [3, 2, 1, 0]
