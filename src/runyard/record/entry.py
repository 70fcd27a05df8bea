"""How the application was started, so that another process can start it again."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from runyard.base import UsageError, write_bytes

#: the interpreter's options that take a value, which may stand in the same word.
_VALUED = "cmWX"
#: those whose value is always the next word.
_LONG_VALUED = ("--check-hash-based-pycs",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A Python program: ``kind`` is ``script`` or ``module``, ``target`` its path or name.

    ``flags`` are the interpreter's own, such as ``-X dev``; ``args`` the program's arguments. ``folder`` is where a
    module is looked for first when its code was frozen; None for ``cwd``.
    """

    python: str
    flags: tuple[str, ...]
    kind: str
    target: str
    args: tuple[str, ...]
    cwd: str
    folder: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The mapping that stands in ``sweep.json`` (without the arguments, which may hold secrets)."""
        return {
            "python": self.python,
            "flags": list(self.flags),
            "kind": self.kind,
            "target": self.target,
            "cwd": self.cwd,
        }

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Entry:
        """The entry that ``to_json`` wrote, with no arguments."""
        return Entry(
            python=value["python"],
            flags=tuple(value["flags"]),
            kind=value["kind"],
            target=value["target"],
            args=(),
            cwd=value["cwd"],
        )


def parse_entry(orig_argv: Sequence[str], argv: Sequence[str], executable: str, cwd: str) -> Entry | None:
    """The entry behind a process, from ``sys.orig_argv`` and ``sys.argv``; None for one that cannot be started again.

    That is ``-c``, standard input, a notebook; and a program that another one runs, such as a debugger: that has taken
    its own words out of ``sys.argv``.

    >>> parse_entry(["python", "-X", "dev", "-m", "app", "a=1"], ["/src/app/__main__.py", "a=1"], "/py", "/w").target
    'app'
    """
    command = _parse(orig_argv[1:])
    if command is None or command.args != tuple(argv[1:]):
        return None
    target = str(Path(cwd, command.target)) if command.kind == "script" else command.target
    return Entry(python=executable, flags=command.flags, kind=command.kind, target=target, args=command.args, cwd=cwd)


class _Command(NamedTuple):
    flags: tuple[str, ...]
    kind: str
    target: str
    args: tuple[str, ...]


def _parse(words: Sequence[str]) -> _Command | None:
    """An interpreter's command line, read as the interpreter does; None where it names neither script nor module."""
    number = 0
    while number < len(words):
        word, following = words[number], words[number + 1 :]
        if word == "-":
            return None
        if word == "--" or not word.startswith("-"):
            flags, rest = words[:number], following if word == "--" else words[number:]
            return _Command(tuple(flags), "script", rest[0], tuple(rest[1:])) if rest else None
        option, value = _valued(word)
        if option == "c":
            return None
        if option == "m":
            flags = [*words[:number], *([word[: word.index("m")]] if word[1] != "m" else [])]
            rest = [value, *following] if value else following
            return _Command(tuple(flags), "module", rest[0], tuple(rest[1:])) if rest else None
        number += 2 if option and not value else 1
    return None


def _valued(word: str) -> tuple[str, str]:
    """The option with a value among a word's flags (``-um``), and the value where it stands there too (``-Xdev``).

    Both are empty where no flag takes a value.
    """
    if word.startswith("--"):
        return (word, "") if word in _LONG_VALUED else ("", "")
    for place, letter in enumerate(word[1:], start=1):
        if letter in _VALUED:
            return letter, word[place + 1 :]
    return "", ""


_own_file: list[str] = []


def take_own_file() -> Path:
    """Takes the program's first argument out of ``sys.argv``: a file of which its sweep keeps a copy.

    The sweep is started again with the copy in its place. For programs of ours.

    Raises:
        UsageError: there is none.
    """
    if len(sys.argv) < 2:
        raise UsageError("no file is given", where=sys.argv[0], todo="start it from Python: runyard.sweep")
    _own_file[:] = [sys.argv.pop(1)]
    return Path(_own_file[0])


def with_own_file(entry: Entry | None, folder: Path) -> Entry | None:
    """An entry whose file, if it has one of its own, is a copy in ``folder``, readable by its owner only."""
    if entry is None or not _own_file:
        return entry
    kept = folder / Path(_own_file[0]).name
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(kept, Path(_own_file[0]).read_bytes())
    kept.chmod(0o600)
    return replace(entry, args=(str(kept), *entry.args[1:]))


def current_entry(cwd: str) -> Entry | None:
    """The entry of this process. ``cwd`` is where it was started (an application may have moved since)."""
    if os.path.basename(sys.argv[0] if sys.argv else "") in ("pytest", "py.test"):
        return None
    entry = parse_entry(sys.orig_argv, [*sys.argv[:1], *_own_file, *sys.argv[1:]], sys.executable, cwd)
    if entry is not None and entry.kind == "module" and entry.target.split(".")[0] == "pytest":
        return None
    return entry
