"""How far a job came: the last step in the tables that it emitted. Reads the end of each file only."""

from __future__ import annotations

import json
import re
from pathlib import Path

from runyard.record import table_files

_STEP = re.compile(r"(?i)(.*[_/.])?(step|epoch|iteration|iter|timestep|update|round)s?")
_TAIL_BYTES = 65536


def last_steps(run_dir: Path) -> dict[str, float]:
    """The last value of each column that counts steps (``step``, ``epoch``, ``agent_step``), by ``<table>.<column>``.

    Empty for a job without tables, or whose tables count no steps.
    """
    found: dict[str, float] = {}
    for path in table_files(run_dir):
        for column, value in _last_row(path).items():
            if isinstance(value, (int, float)) and not isinstance(value, bool) and _STEP.fullmatch(column):
                found[f"{path.stem}.{column}"] = value
    return found


def _last_row(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - _TAIL_BYTES, 0))
            lines = file.read().splitlines()
    except OSError:
        return {}
    for line in reversed(lines):
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, UnicodeDecodeError):
            continue
        if isinstance(row, dict):
            return row
    return {}
