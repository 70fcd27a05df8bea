"""History: the numbers in a table of rows, step by step."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, NamedTuple

from runyard.base import from_finite_json
from runyard.record import read_rows

_STEP = re.compile(r"(?i)(.*[_/.])?(step|epoch|iteration|iter|timestep|update|round)s?")


class Point(NamedTuple):
    """A value at a step."""

    step: int
    value: float


def histories(path: Path) -> dict[str, list[Point]]:
    """The columns of numbers of a table, in the order of its rows; empty for a table that counts no steps.

    The step is the first column that is named after one (``step``, ``epoch``, ``agent_step``). A row whose step is not
    a whole number is left out, and so is a cell that is not a number.
    """
    found: dict[str, list[Point]] = {}
    for row in read_rows(path):
        column = next((name for name in row if _STEP.fullmatch(name)), None)
        step = None if column is None else _whole(row[column])
        if step is None:
            continue
        for name, value in from_finite_json(row).items():
            if name != column and isinstance(value, (int, float)) and not isinstance(value, bool):
                found.setdefault(name, []).append(Point(step, float(value)))
    return found


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value % 1:
        return None
    return int(value)
