"""What overrides ask for, as far as it can be told without their application: for who must look first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from hydra.core.override_parser.types import ChoiceSweep, Override, QuotedString, RangeSweep
from hydra.errors import HydraException

from runyard.base import UsageError
from runyard.compose.reader import OverrideReader


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedOverride:
    """One override. ``texts`` are all in its values, each with whether it is the key of a mapping.

    ``count`` is the number of its values; a range is counted and not gone through.
    """

    word: str
    key: str
    package: str
    is_swept: bool
    count: int
    texts: tuple[tuple[str, bool], ...]


def asked_of(words: Sequence[str]) -> list[AskedOverride]:
    """The overrides of a command line.

    Raises:
        UsageError: one is not in Hydra's grammar.
    """
    reader = OverrideReader()
    return [_asked(reader, word) for word in words]


def _asked(reader: OverrideReader, word: str) -> AskedOverride:
    try:
        override = reader.read(word)
    except HydraException as exc:
        told = str(exc).splitlines()[0]
        raise UsageError(f"{word!r} is no override: {told}", where="overrides", todo="write key=value") from exc
    return AskedOverride(
        word=word,
        key=override.key_or_group,
        package=override.package or "",
        is_swept=override.is_sweep_override(),
        count=_count(override._value),
        texts=tuple(text for value in _values(override) for text in _texts(value)),
    )


def _values(override: Override) -> Iterable[Any]:
    """What it may set: each element of a sweep."""
    value = override._value
    if isinstance(value, ChoiceSweep):
        return value.list
    if isinstance(value, list) and override.is_sweep_override():
        return value
    return [value]


def _texts(value: Any) -> Iterator[tuple[str, bool]]:
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


def _count(value: Any) -> int:
    if isinstance(value, ChoiceSweep):
        return len(value.list)
    if isinstance(value, RangeSweep) and value.start is not None and value.stop is not None:
        return max(1, ceil((value.stop - value.start) / (value.step or 1)))
    return 1
