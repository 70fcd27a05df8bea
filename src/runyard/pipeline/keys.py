"""What the result of a stage depends on, as JSON can carry it. Runs nothing."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runyard.base import UsageError, unknown_name
from runyard.pipeline.declared import Stage
from runyard.pipeline.outputs import hash_of, schemas_of
from runyard.pipeline.placeholders import filled
from runyard.pipeline.sources import code_hash
from runyard.pipeline.tableschema import TableSchema


def key_of(
    stage: Stage, config: Mapping[str, Any], known: Mapping[str, Any], hashes: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Everything that a stage's result depends on, but code. Files count by their real paths.

    Args:
        stage: the stage.
        config: the task's config as plain mappings.
        known: what placeholders stand for.
        hashes: by stage that is needed and output, the output's hash.

    Raises:
        UsageError: a key of ``cache`` is not in the config, or no file matches a pattern.
    """
    schemas = {name: _identity(schema) for name, schema in schemas_of(stage).items()}
    return {
        "stage": stage.declaration(),
        "config": config_of(stage, config),
        "files": dict(_files(stage, known)),
        "needs": {need: hashes[need] for need in stage.needs},
        **({"schemas": schemas} if schemas else {}),
    }


def code_of(stage: Stage) -> dict[str, Any]:
    """The code that a stage's result depends on: that of its function, and of the modules of its schemas."""
    function = code_hash(stage.function.__module__) if stage.function is not None else None
    tables = {n: code_hash(s.module) for n, s in schemas_of(stage).items() if isinstance(s, TableSchema)}
    return {"code": function, **({"schema_code": tables} if tables else {})}


def config_of(stage: Stage, config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the config on which the stage depends.

    Raises:
        UsageError: a key of ``cache`` is not in the config.
    """
    whole = {k: v for k, v in config.items() if k != "stages"}
    if not isinstance(stage.cache, Mapping):
        return whole
    return {str(key): _at(whole, str(key), stage.name) for key in stage.cache.get("keys", ())}


def _at(config: Mapping[str, Any], dotted: str, stage: str) -> Any:
    value: Any = config
    for part in dotted.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise unknown_name("key of the config", dotted, _keys(config), where=f"stages.{stage}.cache.keys")
        value = value[part]
    return value


def _keys(config: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in config.items():
        yield f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _keys(value, f"{prefix}{name}.")


def _files(stage: Stage, known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for pattern in stage.files:
        where = f"stages.{stage.name}.files"
        found = sorted(glob.glob(filled(pattern, known, where), recursive=True))
        if not found:
            raise UsageError(f"no file matches {pattern!r}", where=where)
        yield from ((os.path.realpath(path), hash_of(Path(path))) for path in found)


def _identity(schema: Any) -> Any:
    return schema.identity() if isinstance(schema, TableSchema) else schema
