"""The simulation and the bounds against a slow implementation that follows the specification word by word."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import permutations

import numpy as np
import pytest

from app.workloads.dispatch import shadows
from app.workloads.dispatch.bounds import hindsight, offline_optimum
from app.workloads.dispatch.config import POLICIES
from app.workloads.dispatch.jobs import Jobs
from app.workloads.dispatch.pairs import GRID_PART, feasible_pairs
from app.workloads.dispatch.simulate import Day, Ties, simulate

Make = Callable[..., Jobs]
Point = tuple[float, float]
Edge = tuple[int, int]


@dataclass(frozen=True)
class Job:
    t: int
    o: Point
    e: Point


class Reference:
    """Plain loops over events and jobs; matchings by trying all of them."""

    def __init__(self, jobs: list[Job], d: int, shadow: list[float], grid: float) -> None:
        self.jobs, self.d, self.shadow, self.grid = jobs, d, shadow, grid

    def reward(self, i: int, j: int) -> float:
        a, b = self.jobs[i], self.jobs[j]
        paths = [
            math.dist(p, q) + math.dist(q, u) + math.dist(u, v)
            for p, q in permutations((a.o, b.o))
            for u, v in permutations((a.e, b.e))
        ]
        return math.dist(a.o, a.e) + math.dist(b.o, b.e) - min(paths)

    def distance(self, i: int, j: int) -> float:
        a, b = self.jobs[i], self.jobs[j]
        return math.dist(a.o, b.o) + math.dist(a.e, b.e)

    def whole(self, value: float) -> int:
        return round(value / self.grid)

    def play(self, policy: str) -> list[tuple[int, int, int]]:
        """(i, j, time) of each pair, in the order of departure."""
        arrived: set[int] = set()
        left: set[int] = set()
        pairs: list[tuple[int, int, int]] = []
        for now in sorted({job.t for job in self.jobs} | {job.t + self.d for job in self.jobs}):
            arrived |= {i for i, job in enumerate(self.jobs) if job.t <= now}
            available = arrived - left
            due = sorted((self.jobs[i].t + self.d, i) for i in available if self.jobs[i].t + self.d <= now)
            order = [i for _, i in due]
            if policy == "batch" and order:
                pairs += [(i, j, now) for i, j in self.matching(available, set(order))]
                left |= available
            for i in order:
                if i in left:
                    continue
                present = arrived - left
                partner = self.rolling(i, present) if policy == "rbatch" else self.greedy(i, present, policy)
                left.add(i)
                if partner is not None:
                    left.add(partner)
                    pairs.append((*sorted((i, partner)), now))
        return pairs

    def greedy(self, i: int, present: set[int], policy: str) -> int | None:
        candidates = sorted(present - {i})
        if policy == "greedyx":
            candidates = [j for j in candidates if self.whole(self.reward(i, j)) > 0]
        if not candidates:
            return None

        def score(j: int) -> int:
            return self.whole(self.reward(i, j) - self.shadow[j])

        best = min(candidates, key=lambda j: (-score(j), self.whole(self.distance(i, j)), j))
        value = score(best) if policy == "greedy+" else self.whole(self.reward(i, best))
        return best if value > 0 else None

    def rolling(self, i: int, present: set[int]) -> int | None:
        for pair in self.matching(present, {i}):
            if i in pair:
                return sum(pair) - i
        return None

    def matching(self, present: set[int], freed: set[int]) -> list[Edge]:
        """The heaviest matching; among equals the smallest sum of squared ranks by (distance, i, j)."""
        cost = {i: 0.0 if i in freed else self.shadow[i] for i in present}
        weight = {(i, j): self.whole(self.reward(i, j) - cost[i] - cost[j]) for i in present for j in present if i < j}
        edges = sorted((e for e in weight if weight[e] > 0), key=lambda e: (self.whole(self.distance(*e)), e))
        rank = {e: k for k, e in enumerate(edges)}

        @cache
        def best(rest: tuple[int, ...]) -> tuple[int, int, tuple[Edge, ...]]:
            if not rest:
                return 0, 0, ()
            i, others = rest[0], rest[1:]
            options = [best(others)]
            for j in others:
                if (i, j) in rank:
                    value, preference, chosen = best(tuple(k for k in others if k != j))
                    edge = (i, j)
                    options.append((value + weight[edge], preference - rank[edge] ** 2, (*chosen, edge)))
            return max(options, key=lambda option: option[:2])

        return sorted(best(tuple(sorted(present)))[2], key=lambda e: e)


def reference_of(jobs: Jobs, d_s: int, shadow: list[float]) -> Reference:
    plain = [
        Job(t=int(t) // 1_000_000, o=(o[0], o[1]), e=(e[0], e[1]))
        for t, o, e in zip(jobs.time_us, jobs.origin.tolist(), jobs.destination.tolist(), strict=True)
    ]
    return Reference(plain, d_s, shadow, GRID_PART * jobs.extent)


SHADOWS: dict[str, Callable[[Jobs, Day], np.ndarray]] = {
    "naive": lambda jobs, day: shadows.naive(jobs),
    "pb": lambda jobs, day: shadows.potential(jobs),
    "hd": lambda jobs, day: hindsight(day.pairs).dual,
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("shadow", SHADOWS)
@pytest.mark.parametrize("d_s", [0, 4, 15, 1000])
def test_every_policy_follows_the_words_of_the_specification(
    make_jobs: Make, policy: str, shadow: str, d_s: int
) -> None:
    for seed in range(12):
        jobs = make_jobs(seed, 11, horizon_s=25, lattice=(None, 3, 5)[seed % 3])
        day = Day(time_us=jobs.time_us, d_us=d_s * 1_000_000, pairs=feasible_pairs(jobs, d_s * 1_000_000))
        gamma, tau = ((1.0, 0.0), (0.5, 0.01), (1.0, -0.3), (2.0, 0.2))[seed % 4]
        effective = gamma * SHADOWS[shadow](jobs, day) + tau
        found = simulate(day, effective, policy=policy, ties=Ties())
        triples = zip(found.first.tolist(), found.second.tolist(), (found.time_us // 1_000_000).tolist(), strict=True)
        assert sorted(triples) == sorted(reference_of(jobs, d_s, effective.tolist()).play(policy)), f"seed {seed}"


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("shadow", SHADOWS)
@pytest.mark.parametrize("d_s", [10, 20, 30])
def test_every_cell_of_the_fixture_agrees_with_the_reference(
    fixture_jobs: Jobs, policy: str, shadow: str, d_s: int
) -> None:
    d_us = d_s * 1_000_000
    day = Day(time_us=fixture_jobs.time_us, d_us=d_us, pairs=feasible_pairs(fixture_jobs, d_us))
    effective = SHADOWS[shadow](fixture_jobs, day)
    reference = reference_of(fixture_jobs, d_s, effective.tolist())
    expected = sum(reference.reward(i, j) for i, j, _ in reference.play(policy))
    found = simulate(day, effective, policy=policy, ties=Ties())
    assert found.reward.sum() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_the_offline_optimum_is_that_of_trying_all_matchings(make_jobs: Make, seed: int) -> None:
    jobs = make_jobs(seed, 10, horizon_s=20, lattice=(None, 4)[seed % 2])
    pairs = feasible_pairs(jobs, 8_000_000)
    reference = reference_of(jobs, 8, [0.0] * 10)
    feasible = {(i, j) for i, j in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)}

    def best(rest: tuple[int, ...]) -> float:
        if not rest:
            return 0.0
        i, others = rest[0], rest[1:]
        return max(
            [best(others)]
            + [reference.reward(i, j) + best(tuple(k for k in others if k != j)) for j in others if (i, j) in feasible]
        )

    assert offline_optimum(pairs) == pytest.approx(best(tuple(range(10))), abs=1e-9)
