"""Corrects the p-values of several tests, so that any of them is falsely positive as rarely as one would be. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from runyard.statistics.library import needed


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values after Holm's step-down correction (Holm, 1979), in the order given; empty for none.

    Raises:
        ValueError: a value does not lie between 0 and 1.
    """
    with needed():
        from statsmodels.stats.multitest import multipletests

    for p in p_values:
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"a p-value lies between 0 and 1, not {p!r}")
    if not p_values:
        return []
    return [float(p) for p in multipletests(list(p_values), method="holm")[1]]
