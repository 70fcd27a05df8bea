"""What has changed in the code since a run: its own source files, the packages it had imported, Python."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runyard.record.code import Code, digest_of, read_code
from runyard.record.layout import SweepPaths
from runyard.record.provenance import installed_version
from runyard.record.run import RunRecord

#: packages that run a job and do not compute its result.
_THE_LAUNCHER = ("runyard", "hydra-joblib-launcher", "hydra-submitit-launcher", "submitit")
_UNKNOWN = "nobody can tell which code it ran"


def code_of(run: RunRecord, sweep_dir: Path) -> Code | None:
    """The source files behind a run; None where they were not recorded, or changed while it ran."""
    return _whole(run, read_code(SweepPaths(sweep_dir).code))


def _whole(run: RunRecord, base: Code | None) -> Code | None:
    told = run.provenance.get("code")
    if not isinstance(told, Mapping) or not isinstance(told.get("files"), Mapping):
        return None
    own = {str(path): str(digest) for path, digest in told["files"].items()}
    if told.get("base") is None:
        return None if "" in own.values() else Code(files=own)
    if base is None or base.id != told["base"]:
        return None
    files = {**base.files, **own}
    return None if "" in files.values() else Code(files=files)


class Drift:
    """Compares runs with the code as it is now. What is read is read once.

    Args:
        cwd: the working directory, from which source files are named.
    """

    def __init__(self, cwd: Path) -> None:
        self._cwd = cwd
        self._now: dict[str, str | None] = {}
        self._bases: dict[Path, Code | None] = {}

    def changes(self, run: RunRecord, sweep_dir: Path) -> list[str]:
        """What has changed since a run, in words, source files first; empty when nothing has."""
        if sweep_dir not in self._bases:
            self._bases[sweep_dir] = read_code(SweepPaths(sweep_dir).code)
        code = _whole(run, self._bases[sweep_dir])
        if code is None:
            return [_UNKNOWN]
        found = [self._told(path) for path, digest in code.files.items() if self._digest(path) != digest]
        return found + _other_packages(run.provenance.get("packages")) + _other_python(run.provenance.get("python"))

    def _digest(self, path: str) -> str | None:
        if path not in self._now:
            self._now[path] = digest_of(os.path.join(self._cwd, path))
        return self._now[path]

    def _told(self, path: str) -> str:
        return f"{path} is gone" if self._now[path] is None else f"{path} changed"


def _other_packages(packages: Any) -> list[str]:
    if not isinstance(packages, Mapping):
        return [_UNKNOWN]
    others = {name: version for name, version in packages.items() if name not in _THE_LAUNCHER}
    return [
        f"{name} was {version} and is {installed_version(name) or 'not installed'}"
        for name, version in others.items()
        if installed_version(name) != version
    ]


def _other_python(version: Any) -> list[str]:
    now = platform.python_version()
    short = ".".join(str(version).split(".")[:2])
    return [] if short == ".".join(now.split(".")[:2]) else [f"Python was {version} and is {now}"]
