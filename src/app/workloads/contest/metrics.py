"""The metrics of a simulated contest: return on fees, where we finish, and how often lineups are not our own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .contests import Contest
from .ranking import Floats, Ints
from .simulation import Played

DUP_BINS = (("1", 1, 1), ("2", 2, 2), ("3-5", 3, 5), ("6-10", 6, 10), ("11+", 11, None))
"""Sizes of groups of entries with the same players."""


def summarize(played: Played, contest: Contest, *, ours: int) -> dict[str, Any]:
    """The content of ``sim/metrics.json``.

    A return (roi) is prizes / fees - 1 of our entries together in one world; 0 is to get the fees back.

    Returns:
        ``worlds``, ``entries``, ``ours``; ``fees`` and ``prize_pool`` in dollars; ``roi`` {mean, stdev, p50, p95, se}
        over worlds; ``finish`` {p1, p10, cash}: parts of our entries in the first 1 % and 10 % of the ranks, and with a
        prize; ``duplication`` {unique_fraction: different lineups / entries, dup_bins: parts of the entries by the
        size of the group that has their players}; ``field_roi``: that of all entries, the same in every world;
        ``metrics_head`` {roi_mean, roi_p50, dup_p95: 95th percentile over our entries of how many others have the same
        players}.
    """
    worlds = len(played.prizes)
    roi = roi_of(played, contest, ours=ours)
    stdev = float(roi.std(ddof=1))
    parts = {name: float(getattr(played, name).sum() / (worlds * ours)) for name in ("p1", "p10", "cash")}
    entries = len(played.groups)
    p50, p95 = np.quantile(roi, [0.5, 0.95]).tolist()
    mean = float(roi.mean())
    return {
        "worlds": worlds,
        "entries": entries,
        "ours": ours,
        "fees": ours * contest.entry_fee / 100,
        "prize_pool": round(float(played.field_prizes[0])) / 100,
        "roi": {"mean": mean, "stdev": stdev, "p50": p50, "p95": p95, "se": stdev / math.sqrt(worlds)},
        "finish": parts,
        "duplication": duplication(played.groups),
        "field_roi": float(played.field_prizes.mean() / (entries * contest.entry_fee) - 1),
        "metrics_head": {
            "roi_mean": mean,
            "roi_p50": p50,
            "dup_p95": float(np.quantile(played.groups[:ours] - 1, 0.95)),
        },
    }


def roi_of(played: Played, contest: Contest, *, ours: int) -> Floats:
    """Our return in each world, shape (worlds,)."""
    return played.prizes / (ours * contest.entry_fee) - 1


def by_lineup(played: Played, contest: Contest, *, ours: int) -> list[dict[str, Any]]:
    """A mapping per entry of ours: its mean return, how often it wins something, how many others have its players."""
    return [
        {
            "lineup_id": number + 1,
            "roi_mean": float(played.lineup_prizes[number] / contest.entry_fee - 1),
            "cash": float(played.lineup_cash[number]),
            "duplicates": int(played.groups[number] - 1),
        }
        for number in range(ours)
    ]


def duplication(groups: Ints) -> dict[str, Any]:
    """How alike entries are; ``groups`` has for each entry how many have its players, itself included."""
    bins = {name: float(((groups >= low) & (groups <= (high or len(groups)))).mean()) for name, low, high in DUP_BINS}
    return {"unique_fraction": float((1 / groups).sum() / len(groups)), "dup_bins": bins}


def flat(summary: Mapping[str, Any]) -> dict[str, float]:
    """The metrics for the run's record: the head, its standard error, and the rest under plain names."""
    roi, finish = summary["roi"], summary["finish"]
    return {
        **summary["metrics_head"],
        "roi_se": roi["se"],
        "roi_stdev": roi["stdev"],
        "roi_p95": roi["p95"],
        "finish_p1": finish["p1"],
        "finish_p10": finish["p10"],
        "finish_cash": finish["cash"],
        "unique_fraction": summary["duplication"]["unique_fraction"],
        "field_roi": summary["field_roi"],
    }
