"""Secrets are not written down: values whose key looks like one become ``***``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

REDACTED = "***"
_SECRET = re.compile(r"(token|passw(or)?d|passphrase|secret|api_?key|access_?key|private_?key|credential)", re.I)
#: words that only look like it; ``max_tokens`` and ``tokenizer`` are everyday model parameters.
_HARMLESS = re.compile(
    r"(tokens$|tokeni[sz]|token_(count|id|type|len|dim)|_per_token|num_token|max_token|tokens_)", re.I
)


def is_secret(key: str) -> bool:
    """Whether the last part of a dotted key names a secret (``db.password``, ``HF_TOKEN``, ``api_key``)."""
    last = key.lstrip("+~").split("@")[0].replace("/", ".").split(".")[-1]
    return bool(_SECRET.search(last)) and not _HARMLESS.search(last)


def redact(value: Any) -> Any:
    """A copy of nested mappings and lists in which the value of every secret key is ``***``."""
    if isinstance(value, Mapping):
        return {k: REDACTED if is_secret(str(k)) and v not in (None, "") else redact(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact(v) for v in value]
    return value


def redact_override(override: str) -> str:
    """``db.password=x`` becomes ``db.password=***``; any other text stays. Values inside dicts are found too."""
    key, equals, value = override.partition("=")
    if not equals:
        return override
    if is_secret(key):
        return f"{key}={REDACTED}"
    return f"{key}={_redact_inline(value)}"


_INLINE = re.compile(r"(?P<key>[\w.\-]+)(?P<sep>\s*[:=]\s*)(?P<value>'[^']*'|\"[^\"]*\"|[^,}\]\s]+)")


def _redact_inline(value: str) -> str:
    if "{" not in value:
        return value
    return _INLINE.sub(
        lambda m: f"{m['key']}{m['sep']}{REDACTED}" if is_secret(m["key"]) else m[0],
        value,
    )


def redact_command(command: Iterable[str]) -> tuple[str, ...]:
    """A command line with its secret values taken out: ``key=value`` words, ``--token value``, ``--token=value``."""
    words: list[str] = []
    after_secret = False
    for word in command:
        words.append(REDACTED if after_secret else redact_override(word))
        after_secret = word.startswith("-") and "=" not in word and is_secret(word.lstrip("-").replace("-", "_"))
    return tuple(words)
