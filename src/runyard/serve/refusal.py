"""Refuses overrides that let a client do more than set the application's parameters. Pure.

Hydra's own settings name files, programs and classes (``hydra.run.dir``, ``hydra.callbacks``, ``_target_``), and
resolvers read the environment: an override is a program if nobody looks.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from math import prod

from runyard.base import UsageError
from runyard.compose import AskedOverride, asked_of
from runyard.serve.problems import Refused

#: keys that make Hydra call something, or say how.
_CALLING = frozenset({"_target_", "_args_", "_partial_", "_recursive_", "_convert_"})
_RESOLVER = re.compile(r"\$\{\s*[^}\s]*:")
_TODO = "the operator of the server can allow it with --allow"


def read_overrides(words: Sequence[str], allow: Sequence[str] = ()) -> list[AskedOverride]:
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
    for word in words:
        if word.startswith("-"):
            raise UsageError(f"{word!r} is a flag", where="overrides", todo="give overrides, such as key=value")
        if any(ord(char) < 32 for char in word):
            raise UsageError(f"{word!r} has a control character", where="overrides", todo="leave it out")
    found = asked_of(words)
    for asked in found:
        if not any(fnmatch.fnmatchcase(asked.key, pattern) for pattern in allow):
            _check_key(asked.word, asked.key)
            _check_key(asked.word, asked.package)
        _check_texts(asked)
    return found


def _check_key(word: str, key: str) -> None:
    parts = [part for part in re.split(r"[./:\[\]]", key) if part]
    if parts and (parts[0] in ("hydra", "runyard") or "hydra" in parts[:2]):
        raise Refused(f"{word!r} changes settings of Hydra or of the record", where="overrides", todo=_TODO)
    if _CALLING.intersection(parts):
        raise Refused(f"{word!r} names what is to be called", where="overrides", todo=_TODO)


def _check_texts(asked: AskedOverride) -> None:
    """Raises Refused for a value that calls a resolver, names a target, or is a choice out of its group's folder."""
    for text, is_key in asked.texts:
        if is_key and text in _CALLING:
            raise Refused(f"{asked.word!r} names what is to be called", where="overrides", todo=_TODO)
        if _RESOLVER.search(text):
            raise Refused(f"{asked.word!r} calls a resolver", where="overrides", todo=_TODO)
        if "." not in asked.key and ".." in re.split(r"[/\\]", text):
            raise Refused(f"{asked.word!r} may lead out of a config group", where="overrides", todo=_TODO)


def is_swept(overrides: Iterable[AskedOverride]) -> bool:
    """Whether some override has several values."""
    return any(override.is_swept for override in overrides)


def least_jobs(overrides: Iterable[AskedOverride], seeds: int | Sequence[int] | None) -> int:
    """How many combinations the overrides have, as far as it can be told without their application."""
    counts = [override.count for override in overrides if override.is_swept]
    if seeds is not None:
        counts.append(seeds if isinstance(seeds, int) else len(seeds))
    return prod(counts)
