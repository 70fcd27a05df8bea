"""JSON in one form only, so that equal values have equal bytes; and numbers that JSON does not know."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import PurePath
from typing import Any

_INFINITY = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}


def canonical_json(value: Any) -> str:
    """JSON with sorted keys, no spaces and ASCII only: equal values give equal text on every machine.

    Raises:
        TypeError: a value is of a kind that JSON cannot carry.
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, in 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode("ascii")).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {canonical_key(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    is_special = isinstance(value, float) and not math.isfinite(value)
    return {"float": repr(value)} if is_special else value


def canonical_key(key: Any) -> str:
    """The text by which a mapping's key stands in canonical JSON."""
    if isinstance(key, str):
        return key
    return f"{type(key).__name__}:{key.name if isinstance(key, Enum) else key!r}"


def finite_json(value: Any) -> Any:
    """A copy in which NaN and the infinities are the strings "NaN", "Infinity" and "-Infinity".

    JSON has no such numbers, and a reader in another language stops at them.
    """
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, Mapping):
        return {str(k): finite_json(v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [finite_json(v) for v in value]
    return value


def from_finite_json(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Metrics as numbers again: the inverse of ``finite_json`` for one flat mapping."""
    return {k: _INFINITY.get(v, v) if isinstance(v, str) else v for k, v in metrics.items()}
