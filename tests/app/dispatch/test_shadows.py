from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.workloads.dispatch import shadows
from app.workloads.dispatch.jobs import Jobs


def jobs_at(points: list[tuple[float, float, float, float]]) -> Jobs:
    array = np.array(points)
    return Jobs(
        time_us=np.arange(len(points)) * 1_000_000,
        origin=array[:, :2],
        destination=array[:, 2:],
        skipped_rows=0,
        sha256="",
    )


def test_the_potential_is_half_the_trip() -> None:
    assert shadows.potential(jobs_at([(0, 0, 3, 4), (1, 1, 1, 1)])).tolist() == [2.5, 0.0]


def test_the_naive_shadow_is_zero() -> None:
    assert shadows.naive(jobs_at([(0, 0, 3, 4)])).tolist() == [0.0]


def test_the_historical_mean_is_over_jobs_with_the_same_origin_and_destination_cells() -> None:
    past = jobs_at([(0, 0, 6, 6), (0.1, 0.2, 5.9, 5.8), (0, 0, 0, 6), (6, 6, 0, 0)])
    history = [(past, np.array([1.0, 3.0, 8.0, 20.0]))]
    assert shadows.historical_mean(jobs_at([(0.3, 0.3, 5.5, 5.5)]), history).tolist() == [2.0]


def test_an_unseen_pair_of_cells_takes_the_mean_of_its_origin_and_an_unseen_origin_that_of_all() -> None:
    past = jobs_at([(0, 0, 6, 6), (0, 0, 0, 6), (6, 6, 0, 0)])
    history = [(past, np.array([1.0, 8.0, 21.0]))]
    assert shadows.historical_mean(jobs_at([(0, 0, 3, 3), (3, 3, 0, 0)]), history).tolist() == [4.5, 10.0]


def test_points_outside_the_past_count_to_the_nearest_cell() -> None:
    past = jobs_at([(0, 0, 6, 6), (6, 6, 0, 0)])
    history = [(past, np.array([1.0, 5.0]))]
    assert shadows.historical_mean(jobs_at([(-50, -1, 99, 7)]), history).tolist() == [1.0]


def test_several_days_weigh_by_their_jobs() -> None:
    day = jobs_at([(0, 0, 6, 6), (0, 0, 6, 6)])
    one = replace(day, time_us=day.time_us[:1], origin=day.origin[:1], destination=day.destination[:1])
    history = [(day, np.array([1.0, 2.0])), (one, np.array([6.0]))]
    assert shadows.historical_mean(day, history) == pytest.approx([3.0, 3.0])
