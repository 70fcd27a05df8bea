"""Refuses overrides that let a client do more than set the application's parameters. Pure.

Hydra's own settings name files, programs and classes (``hydra.run.dir``, ``hydra.callbacks``, ``_target_``), and
resolvers read the environment: an override is a program if nobody looks.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil, prod
from typing import Any

from hydra.core.override_parser.types import ChoiceSweep, Override, QuotedString, RangeSweep
from hydra.errors import HydraException

from runyard.base import UsageError
from runyard.compose import OverrideReader
from runyard.serve.problems import Refused

#: keys that make Hydra call something, or say how.
_CALLING = frozenset({"_target_", "_args_", "_partial_", "_recursive_", "_convert_"})
_RESOLVER = re.compile(r"\$\{\s*[^}\s]*:")
_TODO = "the operator of the server can allow it with --allow"


def read_overrides(words: Sequence[str], allow: Sequence[str] = ()) -> list[Override]:
    """The overrides, when each only sets parameters of the application.

    Args:
        words: as on Hydra's command line.
        allow: patterns of keys that may be set nevertheless, such as ``hydra.launcher.*``; their values are looked at
            all the same.

    Raises:
        Refused: one sets Hydra's or the record's own settings, names what is to be called, calls a resolver, or
            leads out of a config group's folder.
        UsageError: one is not in Hydra's grammar, or is a flag.
    """
    reader = OverrideReader()
    return [_read(reader, word, allow) for word in words]


def _read(reader: OverrideReader, word: str, allow: Sequence[str]) -> Override:
    if word.startswith("-"):
        raise UsageError(f"{word!r} is a flag", where="overrides", todo="give overrides, such as key=value")
    if any(ord(char) < 32 for char in word):
        raise UsageError(f"{word!r} has a control character", where="overrides", todo="leave it out")
    try:
        override = reader.read(word)
    except HydraException as exc:
        told = str(exc).splitlines()[0]
        raise UsageError(f"{word!r} is no override: {told}", where="overrides", todo="write key=value") from exc
    key = override.key_or_group
    if not any(fnmatch.fnmatchcase(key, pattern) for pattern in allow):
        _check_key(word, key)
        _check_key(word, override.package or "")
    for value in _values(override):
        _check_value(word, key, value)
    return override


def _check_key(word: str, key: str) -> None:
    parts = [part for part in re.split(r"[./:\[\]]", key) if part]
    if parts and (parts[0] in ("hydra", "runyard") or "hydra" in parts[:2]):
        raise Refused(f"{word!r} changes settings of Hydra or of the record", where="overrides", todo=_TODO)
    if _CALLING.intersection(parts):
        raise Refused(f"{word!r} names what is to be called", where="overrides", todo=_TODO)


def _check_value(word: str, key: str, value: Any) -> None:
    """Raises Refused for a value that calls a resolver, names a target, or is a choice out of its group's folder."""
    for text, is_key in _texts(value):
        if is_key and text in _CALLING:
            raise Refused(f"{word!r} names what is to be called", where="overrides", todo=_TODO)
        if _RESOLVER.search(text):
            raise Refused(f"{word!r} calls a resolver", where="overrides", todo=_TODO)
        if "." not in key and ".." in re.split(r"[/\\]", text):
            raise Refused(f"{word!r} may lead out of a config group", where="overrides", todo=_TODO)


def _texts(value: Any) -> Iterator[tuple[str, bool]]:
    """Every text in a value, and whether it is the key of a mapping."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield _plain(key), True
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        yield _plain(value), False


def _plain(value: Any) -> str:
    return value.text if isinstance(value, QuotedString) else str(value)


def _values(override: Override) -> Iterable[Any]:
    """What an override may set: each element of a sweep."""
    value = override._value
    if isinstance(value, ChoiceSweep):
        return value.list
    if isinstance(value, list) and override.is_sweep_override():
        return value
    return [value]


def is_swept(overrides: Iterable[Override]) -> bool:
    """Whether some override has several values."""
    return any(override.is_sweep_override() for override in overrides)


def least_jobs(overrides: Iterable[Override], seeds: int | Sequence[int] | None) -> int:
    """How many combinations the overrides have, as far as it can be told without their application.

    Ranges are counted, not gone through: ``range(0,1e12)`` must not fill the server's memory.
    """
    counts = [_length(override) for override in overrides if override.is_sweep_override()]
    if seeds is not None:
        counts.append(seeds if isinstance(seeds, int) else len(seeds))
    return prod(counts)


def _length(override: Override) -> int:
    value = override._value
    if isinstance(value, ChoiceSweep):
        return len(value.list)
    if isinstance(value, RangeSweep) and value.start is not None and value.stop is not None:
        return max(1, ceil((value.stop - value.start) / (value.step or 1)))
    return 1
