"""How far a job came: the last step in the tables that it emitted. Reads the end of each file only."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runyard.base import read_tail
from runyard.record import table_files

_STEP = re.compile(r"(?i)(.*[_/.])?(step|epoch|iteration|iter|timestep)")
_TAIL_BYTES = 16384
_ROWS = 16  # looked at to tell a count of steps, which never falls, from other numbers of that name


def last_steps(run_dir: Path) -> dict[str, float]:
    """The last value of each column that counts steps (``step``, ``epoch``, ``agent_step``), by ``<table>.<column>``.

    Empty for a job without tables, or whose tables count no steps.
    """
    found: dict[str, float] = {}
    for path in table_files(run_dir):
        rows = _last_rows(path)
        for column in rows[-1] if rows else ():
            counted: list[Any] = [row.get(column) for row in rows]
            if _STEP.fullmatch(column) and _rises(counted):
                found[f"{path.stem}.{column}"] = float(counted[-1])
    return found


def _rises(values: Sequence[Any]) -> bool:
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return False
    return all(before <= after for before, after in itertools.pairwise(values))


def _last_rows(path: Path) -> list[dict[str, Any]]:
    """The last rows of a file, oldest first; a torn line, and what is cut by the beginning of the tail, is skipped."""
    lines = read_tail(path, _TAIL_BYTES)[0].splitlines()[-_ROWS:]
    rows = []
    for line in lines:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows
