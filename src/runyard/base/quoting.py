"""Quoting values for Hydra's command line, so that each arrives in the job as it was given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from runyard.base.errors import UsageError

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def quoted(value: Any) -> str:
    """A value in the grammar of Hydra's overrides.

    Raises:
        UsageError: it is of a kind that the grammar cannot hold.
    """
    if hasattr(value, "tolist"):  # NumPy's numbers and arrays
        value = value.tolist()
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(quoted, value))}]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_key(key)}:{quoted(item)}" for key, item in value.items()) + "}"
    raise UsageError(
        f"a value of type {type(value).__name__} cannot be given on a command line",
        where=repr(value),
        todo="give numbers, texts, booleans, None, or lists and mappings of them",
    )


def _key(key: Any) -> str:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise UsageError(f"{key!r} cannot be the key of a mapping on a command line", todo="use letters and digits")
    return key


def _text(text: str) -> str:
    """A text in quotes: OmegaConf's escape keeps ``${`` from being an interpolation, Hydra's keeps quotes."""
    plain = re.sub(r"(\\*)\$\{", lambda found: found[1] * 2 + r"\${", text)
    return '"' + re.sub(r'(\\*)("|$(?![\s\S]))', lambda f: f[1] * 2 + ('\\"' if f[2] else ""), plain) + '"'
