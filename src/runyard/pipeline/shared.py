"""A result that several jobs have in common, computed once: whoever comes first computes, the others wait."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runyard.base import UsageError, canonical_json, digest, write_json
from runyard.record import current

_DONE = "shared.json"


def shared(name: str, key: Mapping[str, Any], compute: Callable[[Path], None]) -> Path:
    """The folder of a result that depends on ``key`` alone; computed once in a sweep.

    Jobs in other processes that ask for the same key wait for the first. When that one fails or is killed,
    the next one computes. The result is seen whole or not at all.

    Args:
        name: what the result is, such as ``lp``; the name of a folder.
        key: everything the result depends on, as JSON can carry it (hashes of input files, parameters).
        compute: fills the empty folder it is given.

    Returns:
        The finished folder. Read from it only.

    Raises:
        UsageError: no run is active, or the name cannot be a folder's.
        Exception: whatever ``compute`` raises.
    """
    if not name.replace("_", "").replace("-", "").isalnum():
        raise UsageError(f"a shared result cannot be named {name!r}", todo="use a plain word such as 'lp'")
    parent = current().shared_dir / name
    folder = parent / digest(dict(key))[:24]
    if (folder / _DONE).exists():
        return folder
    parent.mkdir(parents=True, exist_ok=True)
    with locked(parent / f".{folder.name}.lock"):
        if not (folder / _DONE).exists():
            _fill(folder, key, compute)
    return folder


def _fill(folder: Path, key: Mapping[str, Any], compute: Callable[[Path], None]) -> None:
    run = current()

    def fill(draft: Path) -> None:
        compute(draft)
        write_json(
            draft / _DONE, {"key": json.loads(canonical_json(dict(key))), "job": run.job, "attempt": run.attempt}
        )

    publish(folder, fill)


def publish(folder: Path, fill: Callable[[Path], None]) -> None:
    """Makes a folder that is seen whole or not at all. The caller holds its lock.

    What a killed process left of it is thrown away, and so is a folder that stands there without being whole.
    """
    for leftover in folder.parent.glob(f".{folder.name}.*.tmp"):
        shutil.rmtree(leftover, ignore_errors=True)
    draft = folder.with_name(f".{folder.name}.{os.getpid()}-{secrets.token_hex(3)}.tmp")
    draft.mkdir()
    try:
        fill(draft)
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds a lock that the system frees when this process ends, however it ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
