"""Tables held to schemas of pyarrow: all columns, with their types, where the file tells them or can be read so."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any


def arrow_problem(schema: Any, path: Path) -> str | None:
    """What in a table breaks a ``pyarrow.Schema``, with the column; None when nothing does."""
    import pyarrow as pa

    try:
        names = _names(path)
        for name in (*schema.names, *names):
            if (name in names) != (name in schema.names):
                return f"column {name!r} {'is missing' if name not in names else 'is not in the schema'}"
        table = _arrow_table(path, schema)
    except pa.ArrowException as error:
        return next((told for field in schema if (told := _column_problem(path, field))), f"cannot be read: {error}")
    except ValueError as error:
        return f"cannot be read: {error}"
    for field in schema:
        column = table.column(field.name)
        if _plain_type(column.type) != _plain_type(field.type):
            return f"column {field.name!r} is of type {column.type}, not {field.type}"
        if column.null_count and not field.nullable:
            return f"column {field.name!r} has {column.null_count} empty cells and must have none"
    return None


def _plain_type(kind: Any) -> str:
    """A type by name, whatever the width of its offsets: that is the writer's choice (pandas writes large_string)."""
    return str(kind).replace("large_", "")


def _column_problem(path: Path, field: Any) -> str | None:
    """Why a column cannot be read as its type, when that is so."""
    import pyarrow as pa

    try:
        _arrow_table(path, pa.schema([field]))
    except pa.ArrowException as error:
        return f"column {field.name!r} cannot be read as {field.type}: {error}"
    return None


def _names(path: Path) -> list[str]:
    """The columns of a table; of lines of JSON, all keys that there are."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return next(csv.reader(file), [])
    if path.suffix == ".jsonl":
        lines = path.read_text(encoding="utf-8").splitlines()
        return list(dict.fromkeys(key for line in lines if line.strip() for key in json.loads(line)))
    from pyarrow import parquet

    return list(parquet.read_schema(path).names)


def _arrow_table(path: Path, schema: Any) -> Any:
    """The columns of ``schema``; where a file does not tell types, as those that the schema says."""
    if path.suffix == ".csv":
        from pyarrow import csv as cells

        types = {field.name: field.type for field in schema}
        options = cells.ConvertOptions(
            column_types=types, include_columns=list(types), strings_can_be_null=True, quoted_strings_can_be_null=False
        )
        return cells.read_csv(path, convert_options=options)
    if path.suffix == ".jsonl":
        from pyarrow import json as lines

        return lines.read_json(
            path, parse_options=lines.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
        )
    from pyarrow import parquet

    return parquet.read_table(path, columns=schema.names)
