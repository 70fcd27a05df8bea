"""Tables: rows that a job emits while it runs, as JSON lines in its own folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from runyard.base import UsageError, append_text, finite_json
from runyard.record.layout import StagePaths


class Table:
    """A named table of the job at work. Rows may differ in their columns; the sweep's CSV has the union."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, row: Mapping[str, Any] | None = None, /, **fields: Any) -> None:
        """Adds one row, given as a mapping, as keywords, or both (keywords win)."""
        self.extend([{**(row or {}), **fields}])

    def extend(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Adds rows in one write.

        Raises:
            TypeError: a value is neither a number, a text, a truth value, a time, nor None.
        """
        text = "".join(json.dumps(_plain_row(row), allow_nan=False) + "\n" for row in rows)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        append_text(self._path, text)


def _plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {str(k): finite_json(plain_value(v)) for k, v in row.items()}


def plain_value(value: Any) -> Any:
    """A number, text, truth value or None of Python's own, from numpy's or a time. Raises TypeError otherwise."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if type(value).__name__ in ("NAType", "NaTType"):  # pandas' missing values, without importing pandas
        return None
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "ndim", 0) == 0:
        return plain_value(item())
    raise TypeError(f"a table's cell holds a number, a text, a truth value, a time or None, not {type(value).__name__}")


def open_table(folder: Path, name: str) -> Table:
    """The table ``name`` in ``folder``.

    Raises:
        UsageError: the name is not one plain word that can be a file's name.
    """
    if not name or name.startswith(".") or any(c in name for c in "/\\\0"):
        raise UsageError(f"a table cannot be named {name!r}", todo="use a plain word such as 'trials'")
    return Table(folder / f"{name}.jsonl")


def table_files(run_dir: Path) -> Iterator[Path]:
    """Files of rows that a run left, its own first and then its stages', in the order of their names."""
    yield from sorted((run_dir / "tables").glob("*.jsonl"))
    for stage_json in sorted(run_dir.glob("*/stage.json")):
        yield from sorted(StagePaths(stage_json.parent).tables.glob("*.jsonl"))


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows in one file; a torn last line is skipped."""
    with path.open("rb") as file:
        for line in file:
            try:
                row = json.loads(line)
            except (json.JSONDecodeError, UnicodeDecodeError):
                continue
            if isinstance(row, dict):
                yield row
