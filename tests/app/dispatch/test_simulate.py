from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from app.workloads.dispatch import shadows
from app.workloads.dispatch.bounds import hindsight
from app.workloads.dispatch.config import POLICIES
from app.workloads.dispatch.jobs import Jobs
from app.workloads.dispatch.pairs import feasible_pairs
from app.workloads.dispatch.simulate import Day, Matches, Ties, simulate

Make = Callable[..., Jobs]


def day_of(jobs: Jobs, d_s: int) -> Day:
    d_us = d_s * 1_000_000
    return Day(time_us=jobs.time_us, d_us=d_us, pairs=feasible_pairs(jobs, d_us))


def play(jobs: Jobs, d_s: int, shadow: str, policy: str) -> Matches:
    day = day_of(jobs, d_s)
    values = {
        "naive": shadows.naive(jobs),
        "pb": shadows.potential(jobs),
        "hd": hindsight(day.pairs).dual,
    }[shadow]
    return simulate(day, values, policy=policy, ties=Ties())


@pytest.mark.parametrize(
    ("shadow", "policy", "savings"),
    [
        ("naive", "greedy", 2.149365),
        ("naive", "greedyx", 2.149365),
        ("naive", "greedy+", 2.149365),
        ("pb", "greedy", 2.149365),
        ("pb", "greedyx", 2.149365),
        ("pb", "greedy+", 2.819261),
    ],
)
def test_savings_on_the_fixture_are_the_golden_ones(
    fixture_jobs: Jobs, shadow: str, policy: str, savings: float
) -> None:
    assert play(fixture_jobs, 20, shadow, policy).reward.sum() == pytest.approx(savings, abs=1e-6)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("shadow", ["naive", "pb", "hd"])
def test_no_job_leaves_twice_and_none_beats_the_bound(make_jobs: Make, policy: str, shadow: str) -> None:
    jobs = make_jobs(0, 200, horizon_s=200)
    matches = play(jobs, 20, shadow, policy)
    ends = np.concatenate([matches.first, matches.second])
    assert len(np.unique(ends)) == len(ends)
    assert matches.reward.sum() <= hindsight(feasible_pairs(jobs, 20_000_000)).lp + 1e-9


@pytest.mark.parametrize("policy", POLICIES)
def test_pairs_leave_while_both_are_there_and_in_the_order_of_time(make_jobs: Make, policy: str) -> None:
    jobs = make_jobs(1, 200, horizon_s=200)
    matches = play(jobs, 20, "pb", policy)
    assert len(matches) > 0
    assert (matches.first < matches.second).all()
    assert (np.diff(matches.time_us) >= 0).all()
    assert (matches.time_us >= jobs.time_us[matches.second]).all()
    assert (matches.time_us <= jobs.time_us[matches.first] + 20_000_000).all()


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("distances", "partner"), [((3.0, 2.0), 2), ((2.0, 3.0), 1), ((2.0, 2.0), 1)])
def test_among_equal_partners_the_closer_and_then_the_earlier_one_is_taken(
    policy: str, distances: tuple[float, float], partner: int
) -> None:
    # Both partners lie on the way of job 0 and save their whole trip of 1; they are of no use to each other.
    jobs = Jobs(
        time_us=np.zeros(3, dtype=np.int64),
        origin=np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 0.0]]),
        destination=np.array([[4.0, 0.0], [4.0, 0.0], [1.0, 0.0]]),
        skipped_rows=0,
        sha256="",
    )
    day = day_of(jobs, 1)
    assert day.pairs.reward.tolist() == [1.0, 1.0, -5.0]
    day = replace(day, pairs=replace(day.pairs, distance=np.array([*distances, 9.0])))
    matches = simulate(day, np.zeros(3), policy=policy, ties=Ties())
    assert (matches.first.tolist(), matches.second.tolist()) == ([0], [partner])


def test_ties_by_lot_depend_on_the_seed_and_on_nothing_else(make_jobs: Make) -> None:
    day = day_of(make_jobs(2, 150, lattice=3), 20)

    def pairs_of(policy: str, seed: int) -> list[int]:
        ties = Ties(generator=np.random.default_rng(seed))
        return simulate(day, np.zeros(150), policy=policy, ties=ties).second.tolist()

    for policy in POLICIES:
        assert pairs_of(policy, 1) == pairs_of(policy, 1)
        assert len({tuple(pairs_of(policy, seed)) for seed in range(8)}) > 1


@pytest.mark.parametrize("policy", POLICIES)
def test_rounding_noise_in_shadows_decides_nothing(make_jobs: Make, policy: str) -> None:
    jobs = make_jobs(3, 200, horizon_s=200)
    day = day_of(jobs, 20)
    dual = hindsight(day.pairs).dual
    expected = simulate(day, dual, policy=policy, ties=Ties()).second.tolist()
    for seed in range(5):
        noise = np.random.default_rng(seed).uniform(-1e-15, 1e-15, 200)
        assert simulate(day, dual + noise, policy=policy, ties=Ties()).second.tolist() == expected


def test_one_job_leaves_alone(make_jobs: Make) -> None:
    day = day_of(make_jobs(0, 1), 20)
    for policy in POLICIES:
        assert len(simulate(day, np.zeros(1), policy=policy, ties=Ties())) == 0


def test_an_unknown_policy_is_refused(make_jobs: Make) -> None:
    with pytest.raises(ValueError, match="lazy"):
        simulate(day_of(make_jobs(0, 3), 20), np.zeros(3), policy="lazy", ties=Ties())
