"""The points of a sweep, in order and one at a time: product, filters, duplicates, order, limit. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from math import prod
from typing import Any

from runyard.plan.condition import Condition
from runyard.plan.dimension import Dimension
from runyard.plan.order import Permutation

Point = tuple[str, ...]
ValuesOf = Callable[[Point], Mapping[str, Any]]


@dataclass(slots=True)
class Left:
    """Points that are no jobs: not wanted, the same as an earlier one, beyond the limit."""

    excluded: int = 0
    duplicates: int = 0
    cut: int = 0


@dataclass(slots=True, kw_only=True)
class Points:
    """Every combination of the dimensions, less what the conditions exclude; the same each time it is gone through.

    Args:
        dimensions: in the order in which a job has their overrides.
        values_of: the values of a point by key, for the conditions.
        names: the swept keys, in order.
        replicate: the one of them that only repeats, or None.
        slowest: positions of the dimensions that change most slowly, before the others.
        include: all of these must hold.
        exclude: none of these may.
        max_jobs: no more points than that.
        shuffle: the seed of a shuffled order; None keeps the order.

    ``left`` counts, after all points were gone through, those that are no jobs.
    """

    dimensions: Sequence[Dimension]
    values_of: ValuesOf
    names: tuple[str, ...]
    replicate: str | None = None
    slowest: Sequence[int] = ()
    include: Sequence[Condition] = ()
    exclude: Sequence[Condition] = ()
    max_jobs: int | None = None
    shuffle: int | None = None
    left: Left = field(default_factory=Left)

    @property
    def size(self) -> int:
        """How many combinations there are, before any is left out."""
        return prod(len(dimension) for dimension in self.dimensions)

    def __iter__(self) -> Iterator[Point]:
        self.left = Left()
        seen: set[bytes] = set()
        count = 0
        for point in self._all():
            if (self.include or self.exclude) and not self._is_wanted(point):
                self.left.excluded += 1
                continue
            key = _key(point)
            if key in seen:
                self.left.duplicates += 1
                continue
            seen.add(key)
            if self.max_jobs is not None and count >= self.max_jobs:
                self.left.cut += 1
                continue
            count += 1
            yield point

    def _is_wanted(self, point: Point) -> bool:
        values = self.values_of(point)
        return all(c.holds(values) for c in self.include) and not any(c.holds(values) for c in self.exclude)

    def _all(self) -> Iterator[Point]:
        order = [*self.slowest, *(i for i in range(len(self.dimensions)) if i not in self.slowest)]
        sizes = [len(self.dimensions[i]) for i in order]
        size = self.size
        shuffled = None if self.shuffle is None else Permutation(size, self.shuffle)
        for index in range(size):
            yield self._at(index if shuffled is None else shuffled[index], order, sizes)

    def _at(self, index: int, order: Sequence[int], sizes: Sequence[int]) -> Point:
        chosen: list[Point] = [()] * len(order)
        for position, size in zip(reversed(order), reversed(sizes), strict=True):
            index, within = divmod(index, size)
            chosen[position] = self.dimensions[position][within]
        return tuple(override for alternative in chosen for override in alternative)


def _key(point: Point) -> bytes:
    """What is equal for points with the same overrides, in whatever order."""
    return blake2b("\0".join(sorted(point)).encode("utf-8", "surrogatepass"), digest_size=12).digest()
