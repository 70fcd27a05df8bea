"""The token: whoever has it may look and start. Made, read from a file of its owner's, compared in constant time."""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from pathlib import Path

from runyard.base import UsageError

_LEAST_CHARACTERS = 16


def new_token() -> str:
    """A token of 256 random bits that fits into a header, a cookie and an address."""
    return secrets.token_urlsafe(32)


def read_token(path: Path) -> str:
    """The token in a file that nobody but its owner can read; made there when there is no file.

    Raises:
        UsageError: others can read the file, it belongs to somebody else, or holds no token.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        return _make(path)
    except OSError as exc:
        raise UsageError(f"the token cannot be read ({exc.strerror})", where=str(path)) from exc
    except UnicodeDecodeError as exc:
        raise UsageError("the token is no text", where=str(path), todo="remove the file: one is made") from exc


def _read(path: Path) -> str:
    with path.open(encoding="ascii") as file:
        found = os.fstat(file.fileno())
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise UsageError("others can read the token", where=str(path), todo=f"chmod 600 {path}")
        if found.st_uid != os.geteuid():
            raise UsageError("the token's file belongs to somebody else", where=str(path), todo="name one of yours")
        token = file.read().strip()
    if len(token) < _LEAST_CHARACTERS or not token.isprintable() or " " in token:
        raise UsageError(
            f"the token is no word of {_LEAST_CHARACTERS} characters or more",
            where=str(path),
            todo="remove the file: one is made",
        )
    return token


def _make(path: Path) -> str:
    token = new_token()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise UsageError(f"no token can be kept ({exc.strerror})", where=str(path)) from exc
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token + "\n")
    return token


def is_same(given: str, token: str) -> bool:
    """Whether a token is the right one; the time that it takes tells nothing of it."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode())
