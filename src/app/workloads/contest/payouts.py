"""Payouts: which rank gets which prize, from tiers or from a curve. Prizes are whole cents, so that sums are exact."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runyard import UsageError

Cents = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Ranks from ``first`` to ``last``, both included and from 1, get ``prize`` cents each."""

    first: int
    last: int
    prize: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How prizes fall with the rank, for a field of any size.

    Attributes:
        rake: Part of the fees that is not paid out.
        paid: Part of the field that is paid.
        min_cash: The lowest prize, in entry fees.
        exponent: What is left after that is shared by rank ** -exponent.
    """

    rake: float
    paid: float
    min_cash: float
    exponent: float


def curve_tiers(curve: Curve, *, field_size: int, fee: int, where: str) -> tuple[Tier, ...]:
    """The tiers of a curve for a field; they sum up to the fees without the rake, to the cent.

    Raises:
        UsageError: the lowest prizes alone are more than there is to pay out.
    """
    pool = round(field_size * fee * (1 - curve.rake))
    paid = max(1, math.floor(curve.paid * field_size))
    least = round(curve.min_cash * fee)
    rest = pool - paid * least
    if rest < 0:
        raise UsageError(
            f"{paid} prizes of at least {least / 100:.2f} are more than the {pool / 100:.2f} that are paid out",
            where=where,
            todo="lower min_cash, paid or rake",
        )
    weights = np.arange(1, paid + 1, dtype=np.float64) ** -curve.exponent
    shares = np.floor(rest * weights / weights.sum()).astype(np.int64)
    shares[0] += rest - shares.sum()  # the cents that rounding has left
    prizes = np.concatenate([shares + least, np.zeros(field_size - paid, dtype=np.int64)])
    return _merged(prizes)


def check_tiers(tiers: Sequence[Tier], *, field_size: int, where: str) -> None:
    """Checks that tiers cover every rank of a field once, in order, with prizes that never rise.

    Raises:
        UsageError: there is a gap, an overlap or a negative or rising prize; the tier is named.
    """
    expected, before = 1, None
    for number, tier in enumerate(tiers, start=1):
        if tier.first != expected or tier.last < tier.first:
            problem = f"tier {number} covers the ranks {tier.first} to {tier.last}, but must begin at {expected}"
            raise _not_contiguous(problem, field_size, where)
        if tier.prize < 0 or (before is not None and tier.prize > before):
            problem = f"tier {number} pays {tier.prize / 100:.2f}, which is negative or more than the tier before it"
            raise UsageError(problem, where=where, todo="order the tiers from the first rank to the last")
        expected, before = tier.last + 1, tier.prize
    if expected != field_size + 1:
        raise _not_contiguous(f"the tiers end at rank {expected - 1}", field_size, where)


def prizes_of(tiers: Sequence[Tier]) -> Cents:
    """Cents by rank, shape (field,)."""
    return np.repeat([tier.prize for tier in tiers], [tier.last - tier.first + 1 for tier in tiers]).astype(np.int64)


def _merged(prizes: Cents) -> tuple[Tier, ...]:
    """Tiers of neighbouring ranks with one prize."""
    starts = np.flatnonzero(np.diff(prizes, prepend=-1))
    ends = np.append(starts[1:], len(prizes))
    return tuple(
        Tier(first=int(start) + 1, last=int(end), prize=int(prizes[start]))
        for start, end in zip(starts, ends, strict=True)
    )


def _not_contiguous(problem: str, field_size: int, where: str) -> UsageError:
    return UsageError(
        f"the payouts are not contiguous over the ranks 1 to {field_size}: {problem}",
        where=where,
        todo="cover every rank once, in order; ranks that are not paid have a tier of prize 0",
    )
