from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from app.workloads.dispatch.jobs import Jobs
from app.workloads.dispatch.pairs import feasible_pairs, pair_rewards

Make = Callable[..., Jobs]


@pytest.mark.parametrize(
    ("i", "j", "reward"),
    [(0, 1, 0.779846), (2, 4, 0.148078), (3, 5, 0.268913), (6, 8, 0.889949), (0, 2, -0.357476)],
)
def test_rewards_of_the_fixture_are_the_golden_ones(fixture_jobs: Jobs, i: int, j: int, reward: float) -> None:
    found, _ = pair_rewards(fixture_jobs, np.array([i]), np.array([j]))
    assert found[0] == pytest.approx(reward, abs=1e-6)


def test_a_reward_does_not_depend_on_who_came_first(make_jobs: Make) -> None:
    jobs = make_jobs(0, 30)
    i, j = np.triu_indices(30, 1)
    for one, other in zip(pair_rewards(jobs, i, j), pair_rewards(jobs, j, i), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-15)


def test_no_pair_saves_more_than_the_shorter_trip(make_jobs: Make) -> None:
    jobs = make_jobs(1, 60)
    i, j = np.triu_indices(60, 1)
    reward, _ = pair_rewards(jobs, i, j)
    assert (reward <= np.minimum(jobs.length[i], jobs.length[j]) + 1e-12).all()


@pytest.mark.parametrize("d_s", [0, 1, 7, 1000])
def test_feasible_pairs_are_those_at_most_d_apart(make_jobs: Make, d_s: int) -> None:
    jobs = make_jobs(2, 50)
    pairs = feasible_pairs(jobs, d_s * 1_000_000)
    t = jobs.time_us // 1_000_000
    expected = [(i, j) for i in range(50) for j in range(i + 1, 50) if t[j] - t[i] <= d_s]
    assert list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)) == expected
    for i in range(50):
        assert (pairs.first[pairs.start[i] : pairs.start[i + 1]] == i).all()


def test_the_window_is_exact_for_fractions_of_a_second(make_jobs: Make) -> None:
    jobs = replace(make_jobs(3, 3), time_us=np.array([0, 100_000, 400_000]))  # .1 + .3 is not .4 in floats
    assert len(feasible_pairs(jobs, round(0.3 * 1e6))) == 2


def test_a_filter_keeps_the_index_of_starts_right(make_jobs: Make) -> None:
    pairs = feasible_pairs(make_jobs(4, 40), 20_000_000)
    kept = pairs.rewarding()
    assert 0 < len(kept) < len(pairs)
    assert (kept.reward > 0).all()
    for i in range(40):
        assert (kept.first[kept.start[i] : kept.start[i + 1]] == i).all()
    assert kept.start[-1] == len(kept)


def test_a_reward_that_is_zero_but_for_rounding_does_not_count_as_saving() -> None:
    jobs = Jobs(  # the second trip begins where the first ends
        time_us=np.array([0, 0]),
        origin=np.array([[0.1, 0.0], [0.3, 0.0]]),
        destination=np.array([[0.3, 0.0], [0.7, 0.0]]),
        skipped_rows=0,
        sha256="",
    )
    pairs = feasible_pairs(jobs, 0)
    assert abs(pairs.reward[0]) < 1e-15
    assert len(pairs.rewarding()) == 0
