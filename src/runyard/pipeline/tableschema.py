"""Schemas of tables that are objects of Python, pandera's and pyarrow's: found by name, known again, held to."""

from __future__ import annotations

import importlib
import json
import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runyard.base import UsageError, object_of, unknown_name
from runyard.pipeline.arrowschema import arrow_problem

TABLES = (".csv", ".jsonl", ".parquet")
_TARGET = "_target_"
_SHOWN = 3  # of what breaks a schema, columns that are named
_TEXTS = ("str", "string", "object")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """A schema by the dotted name under which it was found: pandera's ``DataFrameSchema`` or ``pyarrow.Schema``."""

    name: str
    value: Any

    @property
    def module(self) -> str:
        """The module in whose code it is described."""
        return self.name.rpartition(".")[0]

    def identity(self) -> dict[str, str]:
        """What it says, as a text that is the same in every process; the code of its checks is not in it."""
        text = _pandera_text(self.value) if _is_pandera(self.value) else self.value.to_string(truncate_metadata=False)
        return {"name": self.name, "says": text}

    def problem(self, path: Path) -> str | None:
        """What in a file breaks it, with the column; None when nothing does."""
        return _pandera_problem(self.value, path) if _is_pandera(self.value) else arrow_problem(self.value, path)


def is_table_schema(value: Any) -> bool:
    """Whether a declared schema is the name of an object, and no JSON schema."""
    return isinstance(value, Mapping) and _TARGET in value


def table_schema(value: Mapping[str, Any], path: str, where: str) -> TableSchema:
    """The schema that ``{_target_: module.name}`` stands for; imports the module.

    Args:
        value: the declaration.
        path: of the output, whose kind must be one of a table.
        where: the key of the config, for errors.

    Raises:
        UsageError: there is no such name, it is no schema, or the output is no table.
    """
    for key in value:
        if key != _TARGET:
            raise unknown_name("key", str(key), (_TARGET,), where=where)
    if Path(path).suffix not in TABLES:
        todo = "give the output one of the endings csv, jsonl and parquet"
        raise UsageError(
            f"{path} is no table, and a schema of pandera or pyarrow is one of tables", where=where, todo=todo
        )
    name = str(value[_TARGET])
    todo = "give module.name of a schema of pandera or pyarrow, or of a function that returns one"
    found = object_of(name, where=where, todo=todo)
    schema = _schema(found)
    if schema is None and callable(found) and not isinstance(found, type):
        try:
            schema = _schema(found())
        except Exception as error:  # the user's function: whatever is wrong with it is wrong with the schema
            raise UsageError(f"{name}() failed: {type(error).__name__}: {error}", where=where, todo=todo) from error
    if schema is None:
        raise UsageError(f"{name!r} is no schema of a table ({type(found).__name__})", where=where, todo=todo)
    return TableSchema(name=name, value=schema)


def _schema(found: Any) -> Any:
    """The schema that an object is or describes; None when it is none.

    Raises:
        UsageError: it is one of a pandera that cannot be used.
    """
    if isinstance(found, type) and _comes_of_pandera(found):
        kind: Any = found
        return kind.to_schema() if issubclass(kind, _pandera().DataFrameModel) else None
    return found if _is_pandera(found) or _is_arrow(found) else None


def _is_pandera(found: Any) -> bool:
    return _comes_of_pandera(type(found)) and isinstance(found, _pandera().DataFrameSchema)


def _comes_of_pandera(kind: type) -> bool:
    return any(base.__module__.partition(".")[0] == "pandera" for base in kind.__mro__)


def _pandera() -> Any:
    try:
        return importlib.import_module("pandera.pandas")
    except ImportError as error:
        todo = "pip install 'pandera[pandas]>=0.24'"
        raise UsageError(f"this pandera cannot be used ({error})", where="pandera", todo=todo) from error


def _is_arrow(found: Any) -> bool:
    return "pyarrow" in sys.modules and isinstance(found, sys.modules["pyarrow"].Schema)


def _pandera_text(schema: Any) -> str:
    """Everything that a schema of pandera says: its own text leaves the checks out."""
    columns = {str(name): _part_text(column) for name, column in schema.columns.items()}
    return json.dumps([repr(schema), _checks_text(schema.checks), columns], sort_keys=True)


def _part_text(column: Any) -> list[Any]:
    flags = [getattr(column, flag) for flag in ("nullable", "unique", "coerce", "required", "regex")]
    return [str(column.dtype), flags, _checks_text(column.checks)]


def _checks_text(checks: Iterable[Any]) -> list[Any]:
    return [[str(check.name), _plain(check.statistics)] for check in checks]


def _plain(value: Any) -> Any:
    """A value as text; sets in order, which differs from process to process."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(repr(part) for part in value)
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else repr(value)


def _pandera_problem(schema: Any, path: Path) -> str | None:
    from pandera.errors import SchemaError, SchemaErrors

    try:
        frame = _frame(path, [name for name, column in schema.columns.items() if _is_text(column.dtype)])
    except ValueError as error:
        return f"cannot be read: {error}"
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as broken:
        return _told(broken.failure_cases)
    except SchemaError as broken:
        return str(broken)
    return None


def _is_text(dtype: Any) -> bool:
    return str(dtype).partition("[")[0] in _TEXTS


def _frame(path: Path, texts: list[str]) -> Any:
    """The table as pandas reads it; of csv, the columns in ``texts`` as they stand there."""
    import pandas as pd

    if path.suffix == ".csv":
        return pd.read_csv(path, dtype=dict.fromkeys(texts, "str"))
    if path.suffix == ".jsonl":
        lines = path.read_text(encoding="utf-8").splitlines()
        return pd.DataFrame([json.loads(line) for line in lines if line.strip()])
    return pd.read_parquet(path)


def _told(cases: Any) -> str:
    """Pandera's table of what failed as a sentence: the first failure of each column."""
    firsts: dict[str, str] = {}
    for case in cases.to_dict("records"):
        column, text = _case(case)
        firsts.setdefault(column, text)
    more = f"; and {len(firsts) - _SHOWN} more columns" if len(firsts) > _SHOWN else ""
    return "; ".join(list(firsts.values())[:_SHOWN]) + more


def _case(case: Mapping[str, Any]) -> tuple[str, str]:
    """The column of a failure, and what is wrong with it."""
    check, value = str(case["check"]), case["failure_case"]
    named = {"column_in_dataframe": "is missing", "column_in_schema": "is not in the schema"}
    if check in (*named, "column_ordered"):
        return str(value), f"column {value!r} {named.get(check, 'is not in its place')}"
    column, row = case["column"], case["index"]
    place = f"column {column!r}" if isinstance(column, str) else "the table"
    if isinstance(row, int | float) and not math.isnan(row):
        place = f"row {int(row) + 1}, {place}"
    return str(column), f"{place}: {value!r} does not keep to {check}"
