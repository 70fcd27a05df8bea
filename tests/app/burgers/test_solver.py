from __future__ import annotations

import itertools

import numpy as np
import pytest

from app.workloads.burgers.data import GOLDEN, golden_values, initial_conditions, symmetric_copies
from app.workloads.burgers.solver import solve

TIMES = np.linspace(0, 2, 21).tolist()


def test_the_golden_values_are_met_to_four_digits() -> None:
    assert golden_values(512) == pytest.approx(list(GOLDEN.values()), abs=1e-4)


def test_a_finer_grid_comes_closer_to_the_exact_solution() -> None:
    exact = np.array(list(GOLDEN.values()))
    errors = [np.abs(golden_values(points) - exact).max() for points in (64, 128, 256, 512)]
    assert all(fine < coarse / 2 for coarse, fine in itertools.pairwise(errors))


def test_the_mean_stays_while_peak_and_energy_only_fall() -> None:
    frames = solve(initial_conditions(16, 512, 7) + 0.1, TIMES)
    assert frames.mean(axis=2) == pytest.approx(np.broadcast_to(0.1, (16, 21)), abs=1e-12)
    assert np.diff(np.abs(frames).max(axis=2), axis=1).max() <= 0
    assert np.diff((frames**2).mean(axis=2), axis=1).max() <= 0


def test_a_mirrored_and_negated_start_gives_mirrored_and_negated_solutions() -> None:
    start = initial_conditions(2, 256, 1)
    frames = solve(start, TIMES)
    mirrored = solve(-np.roll(start[:, ::-1], 1, axis=1), TIMES)
    assert mirrored == pytest.approx(-np.roll(frames[:, :, ::-1], 1, axis=2), abs=1e-9)


def test_a_start_does_not_depend_on_how_many_there_are() -> None:
    assert (initial_conditions(20, 64, 3)[:5] == initial_conditions(5, 64, 3)).all()
    assert (initial_conditions(5, 64, 3) != initial_conditions(5, 64, 4)).any()


def test_symmetric_copies_are_solutions_of_the_equation() -> None:
    starts = initial_conditions(3, 256, 0)
    times = [0.0, 0.2, 0.4]
    moved_on = symmetric_copies(solve(starts, times), 8)
    assert moved_on.shape == (24, 3, 256)
    # solved from the copies of the starts, it is what copies of the solutions are
    assert np.abs(solve(symmetric_copies(starts, 8), times) - moved_on).max() < 1e-8


def test_one_copy_is_the_solutions_themselves() -> None:
    starts = initial_conditions(3, 64, 0)
    assert symmetric_copies(starts, 1) is starts
