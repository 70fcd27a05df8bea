"""Outcome: what an export did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """Where an export went, and the numbers of its jobs.

    ``written`` are the jobs that were written now, ``kept`` those that were there already and have not changed,
    ``left_out`` those that have not ended.
    """

    target: str
    place: str
    written: tuple[int, ...]
    kept: tuple[int, ...]
    left_out: tuple[int, ...]
