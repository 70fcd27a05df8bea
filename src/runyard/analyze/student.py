"""Student's t: the quantile that a confidence interval of a mean needs. Pure."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

_EXACT_UP_TO = 200
_HALVINGS = 60


@lru_cache(maxsize=4096)
def t_quantile(p: float, df: int) -> float:
    """The value that a t-distributed variable stays below with probability ``p``.

    Up to 200 degrees of freedom the distribution function is the finite sum of Abramowitz and Stegun, Handbook of
    Mathematical Functions (1964), 26.7.3 and 26.7.4, inverted by bisection; beyond, their expansion 26.7.5, whose
    error there is below 1e-10.

    Args:
        p: 0.5 <= p < 1.
        df: degrees of freedom, at least 1.

    Raises:
        ValueError: an argument is out of its range.
    """
    if not 0.5 <= p < 1 or df < 1:
        raise ValueError(f"t_quantile needs 0.5 <= p < 1 and df >= 1, not p={p}, df={df}")
    return _exact(2 * p - 1, df) if df <= _EXACT_UP_TO else _expansion(NormalDist().inv_cdf(p), df)


def _exact(inside: float, df: int) -> float:
    """The t for which the probability between -t and t is ``inside``; searched as the angle atan(t / sqrt(df))."""
    low, high = 0.0, math.pi / 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _probability(middle, df) < inside:
            low = middle
        else:
            high = middle
    return math.sqrt(df) * math.tan((low + high) / 2)


def _probability(angle: float, df: int) -> float:
    """A(t | df) of 26.7.3 (odd df) and 26.7.4 (even df), with t = sqrt(df) tan(angle)."""
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = df % 2
    term = cosine if odd else 1.0
    total = term if df > 1 else 0.0
    for k in range(2 + odd, df, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total


def _expansion(x: float, df: int) -> float:
    """26.7.5: the t quantile from the normal quantile ``x`` in powers of 1 / df."""
    g1 = (x**3 + x) / 4
    g2 = (5 * x**5 + 16 * x**3 + 3 * x) / 96
    g3 = (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384
    g4 = (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92160
    return x + g1 / df + g2 / df**2 + g3 / df**3 + g4 / df**4
