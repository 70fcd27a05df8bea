"""The solver: the viscous Burgers equation on a periodic interval, pseudo-spectral in space, RK4 in time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]

NU = 0.01
VISCOSITY = NU / math.pi
"""The factor of u_xx."""

COURANT = 1.5
"""Highest wave number * largest speed * time step. RK4 is stable up to 2.8 for waves that are carried along."""


def solve(start: Floats, times: Sequence[float]) -> Floats:
    """Solutions of u_t + (u^2/2)_x = (nu/pi) u_xx on (0, 1), periodic, at the times asked for.

    The diffusion is solved exactly by an integrating factor (Canuto et al., Spectral Methods, 2006, D.3); the product
    is freed of aliases by the 2/3 rule (Orszag 1971). The time step follows from the largest speed at each time asked
    for, which bounds all later ones.

    Args:
        start: Solutions at the first time, shape (trajectories, points), points at x = i / points.
        times: Ascending.

    Returns:
        Shape (trajectories, times, points).

    Raises:
        FloatingPointError: A solution has left the finite numbers.
    """
    points = start.shape[1]
    waves = 2 * math.pi * np.arange(points // 2 + 1)
    # the square of what is kept reaches twice as far and folds back onto waves that are cut off
    kept = np.arange(points // 2 + 1) < points / 3
    flux = np.where(kept, -0.5j * waves, 0)
    state: Complexes = np.fft.rfft(start) * kept
    frames = np.empty((start.shape[0], len(times), points))
    frames[:, 0] = start
    highest = float(waves[kept].max())
    for index, (now, then) in enumerate(itertools.pairwise(times), start=1):
        speed = max(float(np.abs(frames[:, index - 1]).max()), 1e-9)
        steps = math.ceil((then - now) * highest * speed / COURANT)
        state = _advance(state, flux, np.exp(-VISCOSITY * waves**2 * (then - now) / steps / 2), (then - now), steps)
        frames[:, index] = np.fft.irfft(state, n=points)
    if not np.isfinite(frames).all():
        raise FloatingPointError("the solver left the finite numbers: the grid or the time step is too coarse")
    return frames


def _advance(state: Complexes, flux: Complexes, half: Floats, duration: float, steps: int) -> Complexes:
    """Moves the Fourier coefficients on by steps of RK4; `half` is the decay in half a step."""
    step = duration / steps
    points = 2 * (flux.size - 1)
    full = half * half
    scaled = flux * step

    def change(coefficients: Complexes) -> Complexes:
        field = np.fft.irfft(coefficients, n=points)
        result: Complexes = scaled * np.fft.rfft(field * field)
        return result

    for _ in range(steps):
        first = change(state)
        second = change(half * (state + first / 2))
        third = change(half * state + second / 2)
        fourth = change(full * state + half * third)
        state = full * state + (full * first + 2 * half * (second + third) + fourth) / 6
    return state
