"""The encoder: turns a solution into a few numbers and back, by linear maps that training leaves fixed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .solver import Floats

_DECODER_STRENGTH = 1e-8
_WAVES = 32
_SMOOTHNESS = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """z = u @ down, u = z @ up.

    Attributes:
        down: Shape (points, latent_dim).
        up: Shape (latent_dim, points).
    """

    down: Floats
    up: Floats

    def encode(self, fields: Floats) -> Floats:
        """Latent numbers, shape (..., latent_dim), of solutions of shape (..., points)."""
        return fields @ self.down

    def decode(self, latents: Floats) -> Floats:
        """Solutions, shape (..., points), of latent numbers of shape (..., latent_dim)."""
        return latents @ self.up


def fit_encoder(kind: str, fields: Floats, latent_dim: int, seed: int) -> Encoder:
    """An encoder for solutions like these, shape (samples, points); `kind` is `pod` or `random`."""
    return pod(fields, latent_dim) if kind == "pod" else random_features(fields, latent_dim, seed)


def pod(fields: Floats, latent_dim: int) -> Encoder:
    """Proper orthogonal decomposition: the orthonormal modes that lose least of these solutions.

    They are the leading eigenvectors of the covariance (Sirovich 1987). The mean is not taken out, so that
    solutions of mean 0 have modes of mean 0, and decoding conserves it.
    """
    _, vectors = np.linalg.eigh(fields.T @ fields)
    modes = vectors[:, ::-1][:, :latent_dim]
    # eigenvectors have no sign of their own: the largest entry is made positive
    largest = modes[np.abs(modes).argmax(axis=0), np.arange(latent_dim)]
    modes = np.ascontiguousarray(modes * np.sign(largest))
    return Encoder(down=modes, up=np.ascontiguousarray(modes.T))


def random_features(fields: Floats, latent_dim: int, seed: int) -> Encoder:
    """Scalar products with random smooth functions; decoded by the least squares that fit these solutions best.

    The functions are random sums of waves, of which those beyond number 8 count less and less: white noise would
    spread the few latent numbers over waves that solutions hardly have.
    """
    points = fields.shape[1]
    waves = np.arange(1, min(_WAVES, points // 2 - 1) + 1)
    angles = 2 * math.pi * np.arange(points)[:, None] / points * waves
    basis = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    weights = np.tile(1 / (1 + (waves / _SMOOTHNESS) ** 2), 2)
    drawn = np.random.default_rng([seed, 2]).normal(size=(basis.shape[1], latent_dim))
    down = np.linalg.qr(basis @ (weights[:, None] * drawn))[0]
    latents = fields @ down
    square = latents.T @ latents
    strength = _DECODER_STRENGTH * np.trace(square) / latent_dim
    up = np.linalg.solve(square + strength * np.eye(latent_dim), latents.T @ fields)
    return Encoder(down=down, up=up)
