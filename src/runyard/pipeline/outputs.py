"""Outputs of a stage: they lie in its folder, keep to their schemas, and are known again by their hashes."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runyard.base import RunyardError, UsageError, hash_file
from runyard.pipeline.declared import Stage
from runyard.pipeline.tableschema import TABLES, TableSchema, is_table_schema, table_schema


class OutputError(RunyardError):
    """An output is missing, lies outside of the stage's folder, or does not keep to its schema."""


def hash_of(path: Path) -> str:
    """SHA-256 of a file, or of a folder's files with their names."""
    if path.is_dir():
        parts = [(p.relative_to(path).as_posix(), hash_of(p)) for p in sorted(path.rglob("*")) if p.is_file()]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return hash_file(path)


def checked_outputs(stage: Stage, folder: Path, returned: Mapping[str, Any]) -> dict[str, str]:
    """The outputs' paths relative to the folder, after all of them have been checked.

    Raises:
        OutputError: one is missing, outside of the folder, or not as its schema says.
    """
    schemas = schemas_of(stage)
    found = {}
    for name, value in {**{name: _path(value) for name, value in stage.outputs.items()}, **returned}.items():
        what = f"output {name!r} of stage {stage.name!r}"
        path = (folder / value).resolve()
        if not path.is_relative_to(folder.resolve()) or path == folder.resolve():
            raise OutputError(f"{what} lies outside of its folder: {value}")
        if not path.exists():
            raise OutputError(f"{what} is missing: {value}")
        if name in schemas:
            validate(path, schemas[name], what)
        found[str(name)] = path.relative_to(folder.resolve()).as_posix()
    return found


def _path(value: Any) -> Any:
    return value["path"] if isinstance(value, Mapping) else value


def schemas_of(stage: Stage) -> dict[str, Any]:
    """The schemas of a stage's outputs by name: a ``TableSchema``, or a JSON schema.

    Raises:
        UsageError: one cannot be read or imported, or is no schema of such a file.
    """
    found = {}
    for name, value in stage.outputs.items():
        schema: Any = value.get("schema") if isinstance(value, Mapping) else None
        where = f"stages.{stage.name}.outputs.{name}.schema"
        if is_table_schema(schema):
            found[str(name)] = table_schema(schema, str(_path(value)), where)
        elif schema is not None:
            found[str(name)] = schema_of(schema, where)
    return found


def schema_of(value: Any, where: str = "") -> Any:
    """A JSON schema: the mapping itself, a file's, or a package's (``pkg:path``)."""
    if isinstance(value, Mapping):
        return value
    package, colon, inside = str(value).partition(":")
    try:
        if colon:
            from importlib.resources import files

            return json.loads(files(package).joinpath(inside).read_text(encoding="utf-8"))
        return json.loads(Path(str(value)).read_text(encoding="utf-8"))
    except (OSError, ValueError, ImportError) as error:
        todo = "give a file, or package:path"
        raise UsageError(f"cannot read the schema {value!r}: {error}", where=where, todo=todo) from error


def validate(path: Path, schema: Any, what: str) -> None:
    """Checks a json, yaml, jsonl, csv or parquet file against its schema; JSON's, of a table, row by row.

    Raises:
        OutputError: it does not keep to the schema; the key or column and the row are named.
        UsageError: jsonschema is not installed, or the kind of file is not known.
    """
    if isinstance(schema, TableSchema):
        problem = schema.problem(path)
        if problem is not None:
            raise OutputError(f"{what} ({path.name}) breaks its schema {schema.name}: {problem}")
        return
    try:
        import jsonschema
    except ImportError as error:
        raise UsageError("a schema needs the package jsonschema", todo="pip install jsonschema") from error
    is_table = path.suffix in TABLES
    part = schema.get("items", schema) if is_table and isinstance(schema, Mapping) else schema
    validator = jsonschema.validators.validator_for(part)(part)
    for row, value in enumerate(_rows(path, part), start=1):
        broken = next(iter(validator.iter_errors(value)), None)
        if broken is not None:
            key = ".".join(str(p) for p in broken.absolute_path) or "(top)"
            place = f"row {row}, column {key!r}" if is_table else f"key {key!r}"
            raise OutputError(f"{what} ({path.name}) breaks its schema: {place}: {broken.message}")


def _rows(path: Path, schema: Any) -> Iterator[Any]:
    if path.suffix == ".json":
        yield json.loads(path.read_text(encoding="utf-8"))
    elif path.suffix in (".yaml", ".yml"):
        import yaml

        yield yaml.safe_load(path.read_text(encoding="utf-8"))
    elif path.suffix == ".jsonl":
        yield from (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    elif path.suffix == ".csv":
        types = {k: v.get("type") for k, v in (schema.get("properties") or {}).items()}
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield {k: _typed(v, types.get(k)) for k, v in row.items()}
    elif path.suffix == ".parquet":
        from pyarrow import parquet

        yield from parquet.read_table(path).to_pylist()
    else:
        raise UsageError(f"no schema can be checked of {path.name}", todo="use json, yaml, jsonl, csv or parquet")


def _typed(text: Any, kind: Any) -> Any:
    """A cell as its schema's type where it can be read so; the text otherwise, which the schema then refuses."""
    reader = {"integer": int, "number": float}.get(kind) if isinstance(kind, str) else None
    try:
        return text if reader is None or text is None else reader(text)
    except ValueError:
        return text
