"""Variants of the player pool: projections moved at random, which the optimizer builds different lineups from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .config import VariantsConfig
from .rules import ROSTER_SIZE
from .slate import Floats, Slate


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """A catalog of variants: projections, shape (variants, players)."""

    projections: Floats


def make_variants(slate: Slate, cfg: VariantsConfig, *, seed: int) -> Variants:
    """Draws proj ~ N(proj, sd * pct / 100) for every player and variant."""
    noise = np.random.default_rng(seed).standard_normal((cfg.count, len(slate)))
    return Variants(projections=slate.projections + noise * slate.sds * cfg.pct / 100)


def describe(slate: Slate, variants: Variants) -> Mapping[str, float]:
    """What the catalog is like.

    Each variant has eight favourites: the players of the highest projection for their salary.

    Returns:
        ``count``; ``mean_shift`` (mean of moved - original projection, in points); ``chalk_index`` (mean ownership of
        the favourites, 0 to 1: high where variants like what everybody likes); ``entropy`` (Shannon's, in bits, of how
        the favourites spread over the players: 3 when all variants have the same eight).
    """
    value = variants.projections / slate.salaries
    favourites = np.argsort(-value, axis=1, kind="stable")[:, :ROSTER_SIZE]
    counts = np.bincount(favourites.ravel(), minlength=len(slate))
    parts = counts[counts > 0] / counts.sum()
    return {
        "count": len(variants.projections),
        "mean_shift": float((variants.projections - slate.projections).mean()),
        "chalk_index": float(slate.ownerships[favourites].mean()),
        "entropy": float(-sum(part * math.log2(part) for part in parts.tolist())),
    }
