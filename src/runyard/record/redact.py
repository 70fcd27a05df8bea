"""Secrets are not written down: values whose key looks like one become ``***``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

REDACTED = "***"
_SECRET = re.compile(r"token|passw(or)?d|passphrase|secret|(api|access|private)_?key|credential", re.I)
#: words that only look like it; ``max_tokens``, ``tokenizer`` and ``pad_token`` are everyday model parameters.
_HARMLESS = re.compile(
    r"(?<!auth_)(?<!access_)(?<!api_)(?<!bearer_)(?<!refresh_)(?<!hf_)tokens(?![a-z])|tokeni[sz]"
    r"|token_(count|ids?|type|len|dim|budget)|per_token"
    r"|(?<![a-z])(num|max|min|pad|eos|bos|cls|sep|mask|unk|special|start|stop|end)_?token",
    re.I,
)
_KEY_INSIDE = re.compile(r"(?P<key>[\w.\-]+)[\"']?\s*[:=]\s*")


def is_secret(key: str) -> bool:
    """Whether a part of a dotted key names a secret (``db.password``, ``HF_TOKEN``, ``credentials.user``)."""
    path = key.lstrip("+~-").split("@")[0].replace("-", "_")
    return any(_SECRET.search(_HARMLESS.sub("", part)) for part in re.split(r"[./]", path))


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
    if equals and is_secret(key):
        return f"{key}={REDACTED}"
    return f"{key}{equals}{_redact_inside(value if equals else '')}"


def _redact_inside(text: str) -> str:
    """Takes out what follows a secret key and ``:`` or ``=``, up to the end of that value in Hydra's grammar."""
    pieces: list[str] = []
    at = 0
    for found in _KEY_INSIDE.finditer(text):
        if found.start() >= at and is_secret(found["key"]):
            pieces += [text[at : found.end()], REDACTED]
            at = _end_of_value(text, found.end())
    return "".join([*pieces, text[at:]])


def _end_of_value(text: str, start: int) -> int:
    """Where a value ends: at a comma or a bracket that closes what was opened before it."""
    depth, quote, at = 0, "", start
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "[{(":
            depth += 1
        elif char in "]})" or char == ",":
            if depth == 0:
                break
            depth -= char != ","
        at += 1
    return min(at, len(text))


def redact_text(text: str) -> str:
    """A text of many lines, such as a log, in which what follows a secret key and ``:`` or ``=`` is ``***``."""
    if not _SECRET.search(text):
        return text
    return "\n".join(map(_redact_inside, text.split("\n")))


def redact_command(command: Iterable[str]) -> tuple[str, ...]:
    """A command line with its secret values taken out: ``key=value`` words, ``--token value``, ``--token=value``."""
    words: list[str] = []
    after_secret = False
    for word in command:
        words.append(REDACTED if after_secret else redact_override(word))
        after_secret = word.startswith("-") and "=" not in word and is_secret(word)
    return tuple(words)
