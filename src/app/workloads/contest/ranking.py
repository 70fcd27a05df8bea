"""Ranking: who is where, and what each gets. Those who tie share the mean of the prizes of the ranks that they span."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def share_prizes(scores: Floats, counts: Ints, prizes: npt.NDArray[np.int64]) -> tuple[Floats, Ints]:
    """Prizes and ranks of groups of entries; the members of a group have one score.

    Args:
        scores: Shape (worlds, groups). Higher is better; equal scores tie.
        counts: Entries in each group, shape (groups,).
        prizes: By rank, the first one first; as many as there are entries.

    Returns:
        What each entry of a group gets, shape (worlds, groups); and its rank, from 1: the best of the ranks that those
        who tie with it span.
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    ordered = np.take_along_axis(scores, order, axis=1)
    ends = np.cumsum(counts[order], axis=1)  # entries up to and with this group
    starts = ends - counts[order]
    new = np.ones(scores.shape, dtype=bool)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    last = np.ones(scores.shape, dtype=bool)
    last[:, :-1] = new[:, 1:]
    # of a tie, the first start and the last end
    starts = np.maximum.accumulate(np.where(new, starts, 0), axis=1)
    far = int(counts.sum())
    ends = np.minimum.accumulate(np.where(last, ends, far)[:, ::-1], axis=1)[:, ::-1]
    paid = np.concatenate([[0], np.cumsum(prizes)])
    each = (paid[ends] - paid[starts]) / (ends - starts)
    shared, ranks = np.empty(scores.shape), np.empty(scores.shape, dtype=np.int64)
    np.put_along_axis(shared, order, each, axis=1)
    np.put_along_axis(ranks, order, starts + 1, axis=1)
    return shared, ranks
