"""A cell: one value of one job in a table. Makes cells from what records hold, and text from cells; knows no job."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

#: None is an empty cell: the job has no such value. A float may be NaN: the job has it, and it is NaN.
Cell: TypeAlias = "bool | int | float | str | None"
Columns: TypeAlias = "dict[str, list[Cell]]"
Kind: TypeAlias = Literal["bool", "int", "float", "text", "empty"]

NULL = "null"
_INT = re.compile(r"[+-]?(0|[1-9](_?[0-9])*)")
_FLOAT = re.compile(r"[+-]?([0-9](_?[0-9])*(\.([0-9](_?[0-9])*)?)?|\.[0-9](_?[0-9])*)([eE][+-]?[0-9]+)?")
_WORDS: Mapping[str, Cell] = {
    "true": True,
    "false": False,
    "null": NULL,
    "nan": math.nan,
    "inf": math.inf,
    "+inf": math.inf,
    "-inf": -math.inf,
    "infinity": math.inf,
    "-infinity": -math.inf,
}


def param_cell(value: Any) -> Cell:
    """The cell of a swept value, given as a record's JSON value or as the plan's override text.

    Both forms of one value give one cell: ``0.1`` and ``"0.1"``, ``[1, a]`` and ``"[1,a]"``, ``"abc"`` and
    ``"'abc'"``. Empty text is an empty cell; null is the text ``null``.
    """
    if isinstance(value, (bool, int, float)):
        return value
    return _from_text(value if isinstance(value, str) else _override_text(value))


def _from_text(text: str) -> Cell:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if text.startswith(("[", "{")):
        return re.sub(r"\s*([,:])\s*", r"\1", text)
    return _WORDS.get(text.lower(), text or None)


def _override_text(value: Any) -> str:
    """A value as Hydra's override grammar writes it, without spaces."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{k}:{_override_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_override_text, value)) + "]"
    return str(value)


def metric_cell(value: Any) -> Cell:
    """The cell of a metric: a number. Anything else (a file that was edited by hand) is an empty cell."""
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, (int, float)) else None


def cell_text(cell: Any) -> str:
    """The cell as it stands in a CSV file: empty, ``true``, ``12``, ``0.1``, ``NaN``, ``-Infinity``, or its text."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and not math.isfinite(cell):
        return "NaN" if math.isnan(cell) else ("Infinity" if cell > 0 else "-Infinity")
    if isinstance(cell, (list, dict)):
        return json.dumps(cell)
    return str(cell)


def level(cell: Cell) -> Cell:
    """What stands for a cell when jobs are grouped: equal for equal values, also for NaN, and True is not 1."""
    if isinstance(cell, bool) or (isinstance(cell, float) and math.isnan(cell)):
        return cell_text(cell)
    return cell


def kind_of(cells: Iterable[Cell]) -> Kind:
    """The narrowest kind that holds every cell; empty ones count for none."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if not kinds:
        return "empty"
    if kinds == {bool}:
        return "bool"
    if kinds == {int}:
        return "int"
    return "float" if kinds <= {int, float} else "text"


def is_nan(cell: Cell) -> bool:
    """Whether a job reported this value, and it is not a number."""
    return isinstance(cell, float) and math.isnan(cell)
