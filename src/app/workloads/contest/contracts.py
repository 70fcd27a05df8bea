"""Contracts: the JSON schemas of everything that a run writes, and the check of what no stage checks."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import yaml

from runyard import RunyardError

SCHEMAS = ("variant_catalog", "optimizer_output", "field_sampler_output", "sim_metrics", "run_manifest")


class ContractBroken(RunyardError):
    """Something that was written does not keep to its schema."""


def schema(name: str, part: str | None = None) -> dict[str, Any]:
    """A JSON schema, or a part of its ``$defs``.

    Args:
        name: One of `SCHEMAS`.
        part: A name under ``$defs``; None takes the schema itself, without these.
    """
    whole = _read(name)
    found: dict[str, Any] = dict(whole) if part is None else dict(whole["$defs"][part])
    found.pop("$defs", None)
    return found


def check(value: Mapping[str, Any], name: str, part: str | None = None) -> None:
    """Checks a mapping against its schema.

    Raises:
        ContractBroken: it does not keep to it; the key is named.
    """
    import jsonschema

    broken = next(iter(jsonschema.Draft202012Validator(schema(name, part)).iter_errors(dict(value))), None)
    if broken is not None:
        key = ".".join(str(place) for place in broken.absolute_path) or "(top)"
        what = name if part is None else f"{name}, {part}"
        raise ContractBroken(f"this breaks the schema {what}: key {key!r}: {broken.message}")


@functools.cache
def _read(name: str) -> Mapping[str, Any]:
    text = files(f"{__package__}.schemas").joinpath(f"{name}.schema.yaml").read_text(encoding="utf-8")
    value: Mapping[str, Any] = yaml.safe_load(text)
    return value
