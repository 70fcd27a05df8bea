"""Dimensions of a sweep: lists of alternatives, each a few overrides that go together. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod

from runyard.base import UsageError

Alternative = tuple[str, ...]


class Dimension:
    """What varies together. ``names`` are the keys it sets; alternatives may leave some of them out."""

    names: tuple[str, ...]

    def __len__(self) -> int:
        raise NotImplementedError

    def __getitem__(self, index: int) -> Alternative:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Listed(Dimension):
    """Alternatives that are written down."""

    names: tuple[str, ...]
    alternatives: Sequence[Alternative]

    def __len__(self) -> int:
        return len(self.alternatives)

    def __getitem__(self, index: int) -> Alternative:
        return self.alternatives[index]


class Product(Dimension):
    """Every combination of some dimensions, the last one fastest; nothing is kept of it."""

    def __init__(self, parts: Sequence[Dimension]) -> None:
        self._parts = tuple(parts)
        self.names = tuple(dict.fromkeys(name for part in parts for name in part.names))
        self._sizes = [len(part) for part in parts]

    def __len__(self) -> int:
        return prod(self._sizes)

    def __getitem__(self, index: int) -> Alternative:
        chosen: list[Alternative] = []
        for part, size in zip(reversed(self._parts), reversed(self._sizes), strict=True):
            index, within = divmod(index, size)
            chosen.append(part[within])
        return tuple(override for alternative in reversed(chosen) for override in alternative)


class Chain(Dimension):
    """The alternatives of several dimensions, one after another."""

    def __init__(self, parts: Sequence[Dimension]) -> None:
        self._parts = tuple(parts)
        self.names = tuple(dict.fromkeys(name for part in parts for name in part.names))
        self._ends = list(accumulate(len(part) for part in parts))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, index: int) -> Alternative:
        at = bisect_right(self._ends, index)
        return self._parts[at][index - (self._ends[at - 1] if at else 0)]


def zipped(name: str, columns: Mapping[str, Sequence[str]]) -> Dimension:
    """Keys that take their values in step.

    Args:
        name: of the zip, for messages.
        columns: the override texts of each key.

    Raises:
        UsageError: there is no key, or the keys have not equally many values.
    """
    where = f"hydra.sweeper.zip.{name}"
    lengths = {key: len(values) for key, values in columns.items()}
    if not columns or 0 in lengths.values():
        raise UsageError("a zip without values", where=where, todo="give each key a list: {lr:[0.1,0.01]}")
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{key} has {n}" for key, n in lengths.items())
        raise UsageError(
            f"what is zipped must have equally many values: {told}", where=where, todo="add or take away values"
        )
    return Listed(tuple(columns), tuple(zip(*columns.values(), strict=True)))


def seeds_dimension(seeds: int | Sequence[int], key: str) -> Dimension:
    """The replication: the seeds 0 to n-1, or those of a list.

    Raises:
        UsageError: it is neither, is empty, or a seed comes twice.
    """
    where = "hydra.sweeper.seeds"
    listed: list[object] = []
    if isinstance(seeds, (list, tuple)):
        listed = list(seeds)
    elif type(seeds) is int:
        listed = list(range(seeds))
    if not listed or any(type(seed) is not int for seed in listed):
        raise UsageError(
            f"seeds cannot be {seeds!r}", where=where, todo="give a number of seeds such as 5, or a list such as [1,2]"
        )
    if len(set(listed)) != len(listed):
        raise UsageError("a seed comes twice", where=where, todo="give each seed once")
    return Listed((key,), [(f"{key}={seed}",) for seed in listed])
