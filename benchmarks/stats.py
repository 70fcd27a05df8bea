"""What is told of a series of measurements: its median, its smallest and largest, and how many there are."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Series:
    """Measurements of one thing."""

    values: tuple[float, ...]

    @staticmethod
    def of(values: Sequence[float]) -> Series:
        """Raises ValueError for none."""
        if not values:
            raise ValueError("no measurements")
        return Series(tuple(values))

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def scaled(self, factor: float) -> Series:
        """Each value times ``factor``."""
        return Series(tuple(value * factor for value in self.values))

    def text(self, unit: str = "") -> str:
        """``12.3 (11.9 to 14.0, n=5)``; the spread is left out for a single one."""
        gap = f" {unit}" if unit else ""
        if len(self.values) == 1:
            return f"{number(self.median)}{gap} (n=1)"
        low, high = number(min(self.values)), number(max(self.values))
        return f"{number(self.median)}{gap} ({low} to {high}, n={len(self.values)})"


def number(value: float) -> str:
    """A number with three digits that count."""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 1 else f"{value:.3f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown; the first column is text, the others are numbers."""
    lines = [f"| {' | '.join(head)} |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]
