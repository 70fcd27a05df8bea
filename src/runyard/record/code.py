"""Which code a result comes from: the application's own source files that were imported, and the packages.

Not the whole repository: a change in a file that the task never imports does not touch its result. Of a sweep the files
that its controller had imported are kept once (the base); a run adds what its own process imported besides.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import site
import sys
import sysconfig
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runyard.base import RecordError, read_json, write_text

#: packages that are no part of the application, wherever they are installed.
_NOT_THE_APPLICATION = ("runyard", "hydra_plugins")
_DIGITS = 16
#: the application's own imports come before this one: of a file that is changed later nobody knows what was imported.
_LOADED_AT = time.time()


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """Source files of an application by path, each with a digest of its text.

    Paths are relative to the working directory where they lie in it. An empty digest: the file was changed while
    the run was under way, and nobody can tell which text was imported.
    """

    files: Mapping[str, str]

    @property
    def id(self) -> str:
        """A digest of all of them."""
        text = json.dumps(sorted(self.files.items()))
        return hashlib.sha256(text.encode("ascii")).hexdigest()[:_DIGITS]

    def without(self, base: Code) -> dict[str, str]:
        """The files that the base lacks, or has with another text."""
        return {path: digest for path, digest in self.files.items() if base.files.get(path) != digest}


def imported_code(cwd: Path, *, names: Iterable[str] | None = None, begun_at: float | None = None) -> Code:
    """The application's own files among the modules that this process has imported.

    Args:
        cwd: the working directory.
        names: only these modules; None for all.
        begun_at: when the run began, in seconds since the epoch: of a file that was changed after that, nobody can
            tell which text was imported. None takes the files as they are.
    """
    found: dict[str, str] = {}
    for name in list(sys.modules) if names is None else names:
        file = getattr(sys.modules.get(name), "__file__", None)
        if isinstance(file, str) and _is_the_applications(name, file):
            path = os.path.abspath(os.path.join(cwd, file))
            digest = "" if begun_at is not None and _changed_at(path) > begun_at else digest_of(path)
            found[_shown(path, cwd)] = digest or ""
    return Code(files=found)


class Imports:
    """What a process has imported by now, to tell later what has come since, there or in a process forked from it.

    It is made once for many runs: to look at the name of every module costs a forked process the copy of many pages.
    """

    def __init__(self) -> None:
        self._names, self._count = frozenset(sys.modules), len(sys.modules)

    def since(self) -> list[str]:
        """Names of the modules that have come since."""
        if len(sys.modules) == self._count:  # modules come and do not go
            return []
        return [name for name in list(sys.modules) if name not in self._names]


class ImportWatch:
    """Notices what a run imports of the application's code.

    Args:
        cwd: the working directory.
        forked_with: what ``told`` gave in the process that this one was forked from; None for a process on its own.
        imports: what that process had imported.
    """

    def __init__(self, cwd: Path, forked_with: Mapping[str, Any] | None, imports: Imports | None = None) -> None:
        self._cwd, self._inherited = cwd, forked_with
        self._imports = imports
        self._begun_at = time.time() if forked_with is not None else _LOADED_AT

    def told(self) -> dict[str, Any]:
        """As it stands in a record: ``base``, the id of the sweep's base or None, and ``files`` besides it."""
        if self._inherited is None or self._imports is None:
            return {"base": None, "files": dict(imported_code(self._cwd, begun_at=self._begun_at).files)}
        files = imported_code(self._cwd, names=self._imports.since(), begun_at=self._begun_at).files
        return {"base": self._inherited["base"], "files": {**self._inherited["files"], **files}}


def digest_of(path: str | Path) -> str | None:
    """A digest of a file's text; None when there is no such file."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()[:_DIGITS]
    except OSError:
        return None


def save_code(path: Path, code: Code) -> None:
    """Keeps the base of a sweep."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps({"files": dict(sorted(code.files.items()))}, indent=1) + "\n")


def read_code(path: Path) -> Code | None:
    """The base that ``save_code`` kept; None when there is none, or it cannot be read."""
    try:
        value: Any = read_json(path)
        return Code(files={str(name): str(digest) for name, digest in value["files"].items()})
    except (OSError, RecordError, KeyError, TypeError, AttributeError):
        return None


def _is_the_applications(name: str, file: str) -> bool:
    top = (_main_package() if name == "__main__" else None) or name.partition(".")[0]
    if not file.endswith(".py") or top in _NOT_THE_APPLICATION:
        return False
    return top == _main_package() or not os.path.abspath(file).startswith(_library_folders())


def _main_package() -> str | None:
    """The package that the program belongs to: it is the application's, also where it is installed."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return spec.name.partition(".")[0] if spec is not None else None


@functools.cache
def _library_folders() -> tuple[str, ...]:
    """Folders of the standard library and of installed packages."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {sysconfig.get_path(name) for name in names} | set(site.getsitepackages())
    folders |= {site.getusersitepackages(), os.path.dirname(os.__file__)}
    real = {os.path.realpath(folder) for folder in folders if folder}
    return tuple(sorted(f"{folder}{os.sep}" for folder in real | {f for f in folders if f}))


def _changed_at(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return float("inf")


def _shown(path: str, cwd: Path) -> str:
    inside = os.path.relpath(path, cwd)
    return path if inside.startswith("..") else Path(inside).as_posix()
