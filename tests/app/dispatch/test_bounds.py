from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linprog

from app.workloads.dispatch.bounds import hindsight, offline_optimum
from app.workloads.dispatch.jobs import Jobs
from app.workloads.dispatch.pairs import Pairs, feasible_pairs

Make = Callable[..., Jobs]
CASES = [(seed, lattice) for seed in range(12) for lattice in (None, 3, 6)]


def conditions(pairs: Pairs) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A and b of all dual conditions A y >= b, dense."""
    graph = pairs.rewarding()
    rows = np.zeros((len(graph) + pairs.jobs, pairs.jobs))
    rows[np.arange(len(graph)), graph.first] = 1
    rows[np.arange(len(graph)), graph.second] = 1
    rows[len(graph) :] = np.eye(pairs.jobs)
    return rows, np.concatenate([graph.reward, np.zeros(pairs.jobs)])


def assert_smallest(y: NDArray[np.float64], rows: NDArray[np.float64], bound: NDArray[np.float64]) -> None:
    """No optimal prices are shorter: none has a smaller product with y itself (the obtuse angle criterion)."""
    lowest = linprog(
        y,
        A_ub=np.concatenate([-rows, np.ones((1, len(y)))]),
        b_ub=np.append(-bound, y.sum() + 1e-12),
        bounds=(None, None),
        method="highs",
    )
    assert lowest.status == 0
    assert lowest.fun == pytest.approx(y @ y, abs=1e-8)


@pytest.mark.parametrize(("d_s", "lp"), [(10, 0.987159), (20, 2.878497)])
def test_the_bounds_of_the_fixture_are_the_golden_ones(fixture_jobs: Jobs, d_s: int, lp: float) -> None:
    pairs = feasible_pairs(fixture_jobs, d_s * 1_000_000)
    assert hindsight(pairs).lp == pytest.approx(lp, abs=1e-6)
    assert offline_optimum(pairs) == pytest.approx(lp, abs=1e-6)


@pytest.mark.parametrize(("seed", "lattice"), CASES)
def test_the_dual_is_feasible_and_worth_the_linear_bound(make_jobs: Make, seed: int, lattice: int | None) -> None:
    pairs = feasible_pairs(make_jobs(seed, 40, lattice=lattice), 15_000_000)
    found = hindsight(pairs)
    rows, bound = conditions(pairs)
    primal = linprog(np.ones(40), A_ub=-rows, b_ub=-bound, bounds=(None, None), method="highs-ipm")
    assert found.lp == pytest.approx(primal.fun, abs=1e-8)
    assert found.dual.sum() == pytest.approx(found.lp, abs=1e-9)
    assert (rows @ found.dual - bound).min() > -1e-11


@pytest.mark.parametrize(("seed", "lattice"), CASES)
def test_the_dual_is_the_shortest_of_all_optimal_ones(make_jobs: Make, seed: int, lattice: int | None) -> None:
    pairs = feasible_pairs(make_jobs(seed, 40, lattice=lattice), 15_000_000)
    assert_smallest(hindsight(pairs).dual, *conditions(pairs))


@pytest.mark.parametrize(("seed", "lattice"), CASES)
def test_the_dual_does_not_depend_on_the_order_of_rows(make_jobs: Make, seed: int, lattice: int | None) -> None:
    jobs = replace(make_jobs(seed, 40, lattice=lattice), time_us=np.zeros(40, dtype=np.int64))
    order = np.random.default_rng(seed).permutation(40)
    shuffled = replace(jobs, origin=jobs.origin[order], destination=jobs.destination[order])
    straight, other = (hindsight(feasible_pairs(j, 0)).dual for j in (jobs, shuffled))
    np.testing.assert_allclose(other, straight[order], atol=1e-12)


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_the_bounds_scale_with_the_unit_of_the_coordinates(make_jobs: Make, factor: float) -> None:
    jobs = make_jobs(5, 60)
    scaled = replace(jobs, origin=jobs.origin * factor, destination=jobs.destination * factor)
    small, large = (feasible_pairs(j, 15_000_000) for j in (jobs, scaled))
    np.testing.assert_allclose(hindsight(large).dual, hindsight(small).dual * factor, atol=1e-12 * factor)
    assert offline_optimum(large) == pytest.approx(offline_optimum(small) * factor)


def test_tight_pairs_are_tight_to_the_last_digits(make_jobs: Make) -> None:
    pairs = feasible_pairs(make_jobs(6, 300, horizon_s=300), 20_000_000)
    graph, y = pairs.rewarding(), hindsight(pairs).dual
    slack = np.abs(y[graph.first] + y[graph.second] - graph.reward)
    assert (slack < 1e-14).sum() > 100
    assert not ((slack > 1e-14) & (slack < 1e-9)).any()


def test_the_optimum_never_exceeds_the_linear_bound_and_loses_on_odd_cycles() -> None:
    # Three equal trips at once: a pair saves one trip, half of each pair would save one and a half.
    jobs = Jobs(
        time_us=np.zeros(3, dtype=np.int64),
        origin=np.zeros((3, 2)),
        destination=np.tile([1.0, 0.0], (3, 1)),
        skipped_rows=0,
        sha256="",
    )
    pairs = feasible_pairs(jobs, 0)
    assert offline_optimum(pairs) == pytest.approx(1.0)
    assert hindsight(pairs).lp == pytest.approx(1.5)
    np.testing.assert_allclose(hindsight(pairs).dual, 0.5)


def test_without_a_saving_pair_all_is_zero(make_jobs: Make) -> None:
    pairs = feasible_pairs(replace(make_jobs(0, 5), time_us=np.arange(5) * 10), 1)
    found = hindsight(pairs)
    assert (found.lp, found.edges, offline_optimum(pairs)) == (0.0, 0, 0.0)
    assert not found.dual.any()
