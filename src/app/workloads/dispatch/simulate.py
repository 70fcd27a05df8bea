"""The day as it unfolds: who leaves with whom under a policy. Knows neither files nor bounds.

Events are the sorted unique arrival times t_i and due times t_i + d. At each, arrivals are admitted, then the due
jobs are handled. An arrival alone changes nothing, and due times come in the order of the jobs, so walking over the
jobs in their order meets the same events; whoever is available when job i is due came at most d after it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.workloads.dispatch.matching import distance_rank, max_weight_matching
from app.workloads.dispatch.pairs import Pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What happens on a day, whatever the policy.

    Attributes:
        time_us: arrival times in microseconds, ascending; shape (n,).
        d_us: sojourn window in microseconds.
        pairs: the feasible pairs.
    """

    time_us: NDArray[np.int64]
    d_us: int
    pairs: Pairs

    def __len__(self) -> int:
        return len(self.time_us)

    def beyond(self) -> NDArray[np.int64]:
        """For each job, the first one that comes after it is due; shape (n,)."""
        return np.searchsorted(self.time_us, self.time_us + self.d_us, side="right").astype(np.int64)

    def hopeful(self, shadow: NDArray[np.float64]) -> Day:
        """With only the pairs whose weight can be above 0 once shadows are added back: often one in twenty."""
        pairs, gift = self.pairs, np.minimum(shadow, 0.0)
        weight = pairs.on_grid(pairs.reward - gift[pairs.first] - gift[pairs.second])
        return replace(self, pairs=pairs.where(weight > 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """Pairs that left together, in the order in which they left.

    Attributes:
        first: the earlier job of each pair; shape (k,), as are all below.
        second: the later job.
        time_us: when they left, in microseconds since the earliest job.
        reward: what the pair saved.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    time_us: NDArray[np.int64]
    reward: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ties:
    """How equals are told apart: by distance and then index, or by lot when there is a generator."""

    generator: np.random.Generator | None = None

    def pick(self, pairs: Pairs, best: NDArray[np.int64]) -> int:
        """One of the equally good positions, which ascend."""
        if len(best) == 1:
            return int(best[0])
        if self.generator is not None:
            return int(best[self.generator.integers(len(best))])
        return int(best[np.argmin(pairs.on_grid(pairs.distance[best]))])

    def rank(self, pairs: Pairs, edges: NDArray[np.int64]) -> NDArray[np.int64]:
        """Preference among edges: a permutation of 0..m-1, lower is better."""
        if self.generator is not None:
            return self.generator.permutation(len(edges))
        return distance_rank(pairs.on_grid(pairs.distance[edges]), pairs.first[edges], pairs.second[edges])


def simulate(day: Day, shadow: NDArray[np.float64], *, policy: str, ties: Ties) -> Matches:
    """Plays one day.

    Args:
        day: n jobs and their pairs.
        shadow: effective shadows, gamma * s + tau; shape (n,).
        policy: greedy, greedy+, greedyx, batch or rbatch.
        ties: how equals are told apart.

    Raises:
        ValueError: the policy is not known.
    """
    if policy == "batch":
        return _batch(day.hopeful(shadow), shadow, ties)
    if policy == "rbatch":
        return _rbatch(day.hopeful(shadow), shadow, ties)
    if policy in ("greedy", "greedy+", "greedyx"):
        return _greedy(day, shadow, policy, ties)
    raise ValueError(f"unknown policy {policy!r}")


def _greedy(day: Day, shadow: NDArray[np.float64], policy: str, ties: Ties) -> Matches:
    """Each due job takes its best partner, by reward less the partner's shadow only, or leaves alone."""
    pairs = day.pairs.rewarding() if policy == "greedyx" else day.pairs
    score = pairs.on_grid(pairs.reward - shadow[pairs.second])
    accepted = (score if policy == "greedy+" else pairs.on_grid(pairs.reward)) > 0
    gone = np.zeros(len(day), dtype=bool)
    chosen = []
    for i in range(len(day)):
        if gone[i]:
            continue
        gone[i] = True
        begin, end = pairs.start[i], pairs.start[i + 1]
        candidates = begin + np.flatnonzero(~gone[pairs.second[begin:end]])
        if not len(candidates):
            continue
        scores = score[candidates]
        pair = ties.pick(pairs, candidates[scores == scores.max()])
        if accepted[pair]:
            gone[pairs.second[pair]] = True
            chosen.append(pair)
    picked = np.array(chosen, dtype=np.int64)
    return _matches(pairs, picked, day.time_us[pairs.first[picked]] + day.d_us)


def _batch(day: Day, shadow: NDArray[np.float64], ties: Ties) -> Matches:
    """When any job is due, everyone available leaves, matched as well as can be; so batches are ranges of jobs."""
    pairs, time_us, beyond = day.pairs, day.time_us, day.beyond()
    begin, chosen, leaving_us = 0, [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    while begin < len(day):
        end = int(beyond[begin])
        due = time_us[begin:end] == time_us[begin]
        cost = np.where(due, 0.0, shadow[begin:end])
        edges = np.arange(pairs.start[begin], pairs.start[end])
        edges = edges[pairs.second[edges] < end]
        weight = pairs.reward[edges] - cost[pairs.first[edges] - begin] - cost[pairs.second[edges] - begin]
        picked = _best_matching(pairs, edges, weight, ties)
        chosen.append(picked)
        leaving_us.append(np.full(len(picked), time_us[begin] + day.d_us))
        begin = end
    return _matches(pairs, np.concatenate(chosen), np.concatenate(leaving_us))


def _rbatch(day: Day, shadow: NDArray[np.float64], ties: Ties) -> Matches:
    """Each due job leaves with its partner in the best matching of all who are available; the others stay."""
    pairs, beyond = day.pairs, day.beyond()
    gone = np.zeros(len(day), dtype=bool)
    chosen: list[int] = []
    for i in range(len(day)):
        if gone[i]:
            continue
        edges = np.arange(pairs.start[i], pairs.start[beyond[i]])
        first, second = pairs.first[edges], pairs.second[edges]
        present = (second < beyond[i]) & ~gone[first] & ~gone[second]
        edges, first, second = edges[present], first[present], second[present]
        weight = pairs.reward[edges] - np.where(first == i, 0.0, shadow[first]) - shadow[second]
        gone[i] = True
        if (pairs.on_grid(weight[first == i]) > 0).any():  # else it stays alone, whatever the others do
            own = [k for k in _best_matching(pairs, edges, weight, ties).tolist() if pairs.first[k] == i]
            chosen += own
            gone[pairs.second[own]] = True
    picked = np.array(chosen, dtype=np.int64)
    return _matches(pairs, picked, day.time_us[pairs.first[picked]] + day.d_us)


def _best_matching(
    pairs: Pairs, edges: NDArray[np.int64], weight: NDArray[np.float64], ties: Ties
) -> NDArray[np.int64]:
    """Positions of the pairs in the matching of the greatest weight, of the given ones with weight above 0."""
    whole = pairs.on_grid(weight)
    edges, whole = edges[whole > 0], whole[whole > 0]
    first, second = pairs.first[edges], pairs.second[edges]
    return edges[max_weight_matching(first, second, whole, ties.rank(pairs, edges))]


def _matches(pairs: Pairs, picked: NDArray[np.int64], time_us: NDArray[np.int64]) -> Matches:
    return Matches(first=pairs.first[picked], second=pairs.second[picked], time_us=time_us, reward=pairs.reward[picked])
