from __future__ import annotations

import pytest

from app.workloads.burgers import BurgersConfig
from app.workloads.burgers.data import END_TIME, Solutions, golden_values, initial_conditions, invariants
from app.workloads.burgers.solver import solve


@pytest.fixture
def small() -> BurgersConfig:
    """Twenty-four trajectories on a coarse grid, and a small network with a checkpoint every other epoch."""
    return BurgersConfig(
        trajectories=24,
        nx=64,
        solver_nx=256,
        frames=11,
        step=1,
        copies=4,
        latent_dim=6,
        operator="mlp",
        hidden=16,
        epochs=12,
        batch=64,
        checkpoint_every=2,
    )


@pytest.fixture(scope="session")
def data() -> Solutions:
    """The solutions of `small`."""
    frames = solve(initial_conditions(24, 256, 0), [END_TIME * frame / 10 for frame in range(11)])
    return Solutions(frames=frames[:, :, ::4], golden=golden_values(256), invariants=invariants(frames))
