"""Ignore patterns: lines as in ``.gitignore``, and which paths they match. Pure; knows no file system."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

#: the named classes of a bracket expression, as the system's own pattern matching knows them (ASCII).
_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": " \\t",
    "digit": "0-9",
    "lower": "a-z",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\s",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


@dataclass(frozen=True, slots=True)
class _Pattern:
    regex: re.Pattern[str]
    negated: bool
    folders_only: bool


class IgnorePatterns:
    """Patterns of one file; paths are relative to its folder, with ``/`` between their parts.

    As in git: the last pattern that matches decides, ``!`` takes back, ``/`` at the end means folders, any other ``/``
    binds a pattern to the file's own folder, ``**`` crosses folders. What lies in an ignored folder cannot be taken
    back. One file only: there are none in subfolders.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._patterns = [pattern for line in lines if (pattern := _parsed(line)) is not None]
        self._folders: dict[str, bool] = {"": False}

    def ignores(self, path: str) -> bool:
        """Whether a file (or a link) is ignored, by itself or with a folder that it lies in."""
        return self.ignores_folder(path.rpartition("/")[0]) or self._matched(path, folder=False)

    def ignores_folder(self, path: str) -> bool:
        """Whether a folder is ignored, with all that lies in it."""
        known = self._folders.get(path)
        if known is None:
            known = self.ignores_folder(path.rpartition("/")[0]) or self._matched(path, folder=True)
            self._folders[path] = known
        return known

    def _matched(self, path: str, *, folder: bool) -> bool:
        for pattern in reversed(self._patterns):
            if (folder or not pattern.folders_only) and pattern.regex.fullmatch(path):
                return not pattern.negated
        return False


def _parsed(line: str) -> _Pattern | None:
    text = _without_trailing_spaces(line.rstrip("\r\n"))
    if not text or text.startswith("#"):
        return None
    negated = text.startswith("!")
    text = text[1:] if negated else text
    folders_only = text.endswith("/")
    text = text[:-1] if folders_only else text
    if "/" not in text:
        text = f"**/{text}"  # matches in every folder
    body = _translated(text.removeprefix("/"))
    if text == "**/" or body is None:
        return None
    return _Pattern(re.compile(body, re.DOTALL), negated, folders_only)


def _without_trailing_spaces(text: str) -> str:
    """Spaces at the end do not count, unless a backslash stands before them."""
    bare = text.rstrip(" ")
    backslashes = len(bare) - len(bare.rstrip("\\"))
    return text[: len(bare) + 1] if backslashes % 2 and len(bare) < len(text) else bare


def _translated(text: str) -> str | None:
    """A pattern as a regular expression; None for one that can never match: an open bracket, a backslash at the end."""
    made, place = [], 0
    while place < len(text):
        piece = _piece(text, place)
        if piece is None:
            return None
        made.append(piece[0])
        place = piece[1]
    return "".join(made)


def _piece(text: str, place: int) -> tuple[str, int] | None:
    """The expression for what begins at a place, and where it ends."""
    char = text[place]
    if char == "*":
        return _stars(text, place)
    if char == "?":
        return "[^/]", place + 1
    if char == "[":
        return _bracket(text, place)
    if char == "\\":
        return (re.escape(text[place + 1]), place + 2) if place + 1 < len(text) else None
    return re.escape(char), place + 1


def _stars(text: str, place: int) -> tuple[str, int]:
    end = place
    while end < len(text) and text[end] == "*":
        end += 1
    crosses = end - place > 1 and (place == 0 or text[place - 1] == "/") and (end == len(text) or text[end] == "/")
    if not crosses:
        return "[^/]*", end
    return (".+", end) if end == len(text) else ("(?:.*/)?", end + 1)


def _bracket(text: str, place: int) -> tuple[str, int] | None:
    """A bracket expression: one character of a set, which is never ``/``."""
    at = place + 1
    negated = text[at : at + 1] in ("!", "^")
    at += negated
    inside, first = [], at
    while at < len(text) and (text[at] != "]" or at == first):
        if named := re.match(r"\[:(\w+):\]", text[at:]):
            if named[1] not in _CLASSES:
                return None
            inside.append(_CLASSES[named[1]])
            at += named.end()
            continue
        low, at = _member(text, at)
        if text[at : at + 1] == "-" and text[at + 1 : at + 2] not in ("]", ""):
            high, at = _member(text, at + 1)
            inside.append(f"{re.escape(low)}-{re.escape(high)}" if low <= high else re.escape(low))
        else:
            inside.append(re.escape(low))
    if at >= len(text):
        return None
    members = "".join(inside)
    return (f"[^/{members}]" if negated else f"(?!/)[{members}]"), at + 1


def _member(text: str, at: int) -> tuple[str, int]:
    """One character of a bracket expression, which a backslash may quote, and where the next begins."""
    at += text[at] == "\\" and at + 1 < len(text)
    return text[at], at + 1
