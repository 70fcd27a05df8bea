"""The ridge operator: a latent state's change as a polynomial of it, by regularised least squares."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from .solver import Floats

STRENGTHS = (1e1, 1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""Regularisations tried; validation chooses. A thousandth of one, times the pairs, is the penalty on squared weights:
what is added to the diagonal of the features' square."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ridge:
    """z -> z + features(z) @ weights, for scaled states.

    Attributes:
        weights: Shape (features, latent_dim).
        degree: Highest degree of the features.
    """

    weights: Floats
    degree: int

    def __call__(self, latents: Floats) -> Floats:
        """The states a step later; shape (n, latent_dim) in and out."""
        return latents + polynomial(latents, self.degree) @ self.weights


def polynomial(latents: Floats, degree: int) -> Floats:
    """All monomials up to a degree, the constant first; shape (n, features)."""
    columns = [np.ones((latents.shape[0], 1))]
    for power in range(1, degree + 1):
        chosen = np.array(list(itertools.combinations_with_replacement(range(latents.shape[1]), power)))
        columns.append(latents[:, chosen].prod(axis=2))
    return np.concatenate(columns, axis=1)


def fit_ridge(now: Floats, then: Floats, degree: int) -> list[Ridge]:
    """An operator for each of `STRENGTHS`, from pairs of states, shape (pairs, latent_dim)."""
    features = polynomial(now, degree)
    # one eigendecomposition serves all strengths
    values, vectors = np.linalg.eigh(features.T @ features)
    target = vectors.T @ (features.T @ (then - now))
    shrunk = [np.maximum(values, 0.0) + strength * len(now) * 1e-3 for strength in STRENGTHS]
    return [Ridge(weights=vectors @ (target / divisor[:, None]), degree=degree) for divisor in shrunk]
