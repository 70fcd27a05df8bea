"""The data: solutions from random initial conditions, as a stage that like jobs share, and how they are split."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.workloads.files import write_npz
from runyard import StageContext

from .config import BurgersConfig
from .solver import Floats, solve

END_TIME = 2.0
HELD_OUT = 0.25
VALIDATION = 0.2
"""Part of the trajectories that are not held out."""

GOLDEN_TIME = 0.5
GOLDEN = {0.125: 0.188628, 0.25: 0.375373, 0.375: 0.557761}
"""u(x) at GOLDEN_TIME from u0 = sin 2 pi x; the Cole-Hopf solution by quadrature."""

INVARIANTS = ("mean_drift", "peak_growth", "energy_growth")

SOLUTIONS_FILE = "solutions.npz"
#: all of the configuration that the solutions depend on
DATA_KEYS = ("data_seed", "trajectories", "nx", "solver_nx", "frames")

_TOGETHER = 16  # trajectories solved at once: their arrays fit into a processor's cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Solutions:
    """What the solver gives.

    Attributes:
        frames: Solutions in time, shape (trajectories, frames, nx).
        golden: Values in the golden case, shape (3,).
        invariants: What `invariants` says of the solutions on the solver's grid, shape (3,).
    """

    frames: Floats
    golden: Floats
    invariants: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Numbers of the trajectories that are learned from, that choose, and that are held out."""

    training: npt.NDArray[np.int64]
    validation: npt.NDArray[np.int64]
    held_out: npt.NDArray[np.int64]


def initial_conditions(trajectories: int, points: int, seed: int) -> Floats:
    """Sums of two sines under a random sign: waves 1 to 4, amplitudes U[0, 1], phases U[0, 2 pi).

    A trajectory's numbers depend on the seed and its place only, not on how many there are.

    Returns:
        Shape (trajectories, points), points at x = i / points.
    """
    x = np.arange(points) / points
    starts = np.empty((trajectories, points))
    for place in range(trajectories):
        rng = np.random.default_rng([seed, place])
        waves = rng.integers(1, 5, size=(2, 1))
        amplitudes, phases = rng.uniform(0, 1, (2, 1)), rng.uniform(0, 2 * math.pi, (2, 1))
        sign = rng.choice((-1.0, 1.0))
        starts[place] = sign * (amplitudes * np.sin(2 * math.pi * waves * x + phases)).sum(axis=0)
    return starts


def make_solutions(cfg: BurgersConfig, inputs: Mapping[str, Any], context: StageContext) -> dict[str, float]:
    """The stage of the data: leaves the solutions in its folder, and returns what `describe` says of them."""
    data = solutions(cfg)
    arrays = {"frames": data.frames, "golden": data.golden, "invariants": data.invariants}
    write_npz(context.dir / SOLUTIONS_FILE, arrays)
    return describe(data)


def load_solutions(path: Path) -> Solutions:
    """The solutions that `make_solutions` left."""
    with np.load(path) as file:
        return Solutions(frames=file["frames"], golden=file["golden"], invariants=file["invariants"])


def solutions(cfg: BurgersConfig) -> Solutions:
    """The solutions of this data configuration and data seed; of the configuration, `DATA_KEYS` alone count."""
    starts = initial_conditions(cfg.trajectories, cfg.solver_nx, cfg.data_seed)
    times = np.linspace(0.0, END_TIME, cfg.frames).tolist()
    every = cfg.solver_nx // cfg.nx
    parts, found = [], []
    for first in range(0, cfg.trajectories, _TOGETHER):
        frames = solve(starts[first : first + _TOGETHER], times)
        parts.append(frames[:, :, ::every])
        found.append(invariants(frames))
    golden = golden_values(cfg.solver_nx)
    return Solutions(frames=np.concatenate(parts), golden=golden, invariants=np.max(found, axis=0))


def split(cfg: BurgersConfig) -> Split:
    """The last quarter is held out, whatever the seed, so that seeds are measured alike; the seed deals the others."""
    held_out = math.ceil(cfg.trajectories * HELD_OUT)
    others = cfg.trajectories - held_out
    dealt = np.random.default_rng([cfg.seed, 1]).permutation(others)
    chosen = math.ceil(others * VALIDATION)
    return Split(
        training=np.sort(dealt[chosen:]),
        validation=np.sort(dealt[:chosen]),
        held_out=np.arange(others, cfg.trajectories),
    )


def symmetric_copies(fields: Floats, copies: int) -> Floats:
    """Solutions together with their images under the equation's symmetries: shifts in x, and u(x) -> -u(-x).

    Args:
        fields: Points in the last axis, at x = i / points.
        copies: 1 for the solutions alone; or an even number: half of it evenly spread shifts (to whole points, the
            first by nothing), and the mirrored image of each.

    Returns:
        The copies joined along the first axis, the solutions themselves first.
    """
    if copies == 1:
        return fields
    shifts = copies // 2
    shifted = [np.roll(fields, round(index * fields.shape[-1] / shifts), axis=-1) for index in range(shifts)]
    # -x of point i is point -i, so that point 0 stays where it is
    mirrored = [-np.roll(image[..., ::-1], 1, axis=-1) for image in shifted]
    return np.concatenate([*shifted, *mirrored])


def golden_values(points: int) -> Floats:
    """What the solver gives on a grid of so many points at the places of `GOLDEN`, shape (3,)."""
    start = np.sin(2 * math.pi * np.arange(points) / points)[None]
    end = solve(start, (0.0, GOLDEN_TIME))[0, -1]
    values: Floats = end[[round(x * points) for x in GOLDEN]]
    return values


def describe(data: Solutions) -> dict[str, float]:
    """Metrics of the data: the golden values with their error, and the invariants.

    Returns:
        `golden_u_0125`, `golden_u_0250`, `golden_u_0375`, `golden_error` (largest distance from `GOLDEN`),
        `mean_drift` (largest change of a trajectory's mean), `peak_growth` and `energy_growth` (largest rise of
        max|u| and of mean u^2 from a frame to the next; 0 when they only fall).
    """
    values = {f"golden_u_{round(1000 * x):04d}": float(u) for x, u in zip(GOLDEN, data.golden, strict=True)}
    return values | {
        "golden_error": float(np.abs(data.golden - np.array(list(GOLDEN.values()))).max()),
        **dict(zip(INVARIANTS, data.invariants.tolist(), strict=True)),
    }


def invariants(frames: Floats) -> Floats:
    """`INVARIANTS` of solutions, shape (trajectories, frames, points).

    They are taken on the solver's grid: on a coarser one, means of steep solutions are no longer exact.
    """
    means, peaks, energies = frames.mean(axis=2), np.abs(frames).max(axis=2), (frames**2).mean(axis=2)
    drift = np.abs(means - means[:, :1]).max()
    return np.array([drift, *(max(np.diff(values, axis=1).max(), 0.0) for values in (peaks, energies))])
