"""How the application was started, so that another process can start it again. Pure but for ``current_entry``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A Python program: ``kind`` is ``script`` or ``module``, ``target`` its path or name.

    ``flags`` are the interpreter's own, such as ``-X dev``; ``args`` the program's arguments.
    """

    python: str
    flags: tuple[str, ...]
    kind: str
    target: str
    args: tuple[str, ...]
    cwd: str

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
    """The entry behind a process, from ``sys.orig_argv`` and ``sys.argv``; None for ``-c``, a notebook or a test run.

    >>> parse_entry(["python", "-X", "dev", "-m", "app", "a=1"], ["/src/app/__main__.py", "a=1"], "/py", "/w").target
    'app'
    """
    args = tuple(argv[1:])
    head = list(orig_argv[1 : len(orig_argv) - len(args)])
    if tuple(orig_argv[len(orig_argv) - len(args) :]) != args or not head:
        return None
    if len(head) >= 2 and head[-2] == "-m":
        kind, target, flags = "module", head[-1], head[:-2]
    elif head[-1].startswith("-") or (len(head) >= 2 and head[-2] == "-c"):
        return None
    else:
        kind, target, flags = "script", str(Path(cwd, head[-1])), head[:-1]
    return Entry(python=executable, flags=tuple(flags), kind=kind, target=target, args=args, cwd=cwd)


def current_entry(cwd: str) -> Entry | None:
    """The entry of this process. ``cwd`` is where it was started (an application may have moved since)."""
    if os.path.basename(sys.argv[0] if sys.argv else "") in ("pytest", "py.test"):
        return None
    entry = parse_entry(sys.orig_argv, sys.argv, sys.executable, cwd)
    if entry is not None and entry.kind == "module" and entry.target.split(".")[0] == "pytest":
        return None
    return entry
