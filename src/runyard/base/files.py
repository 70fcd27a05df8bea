"""Files that a reader never sees half: written beside their place under a name of their own, then renamed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from runyard.base.canonical import finite_json
from runyard.base.errors import RecordError


def write_bytes(path: Path, data: bytes, *, mode: int = 0o666, sync: bool = False) -> None:
    """Puts ``data`` at ``path`` in one step.

    Args:
        path: the place; its folder must be there.
        data: the whole content.
        mode: permission bits before the umask.
        sync: also wait until the disk has it.

    Raises:
        OSError: the folder is missing, or the disk is full. Nothing is left behind, and what was at
            ``path`` is as before.
    """
    temporary = f"{path}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            write_all(descriptor, data)
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def write_text(path: Path, text: str, *, mode: int = 0o666, sync: bool = False) -> None:
    """``write_bytes`` for text, in UTF-8."""
    write_bytes(path, text.encode("utf-8", errors="backslashreplace"), mode=mode, sync=sync)


def write_json(path: Path, value: Any, *, indent: int | None = 2, sync: bool = False) -> None:
    """``write_text`` of ``value`` as JSON; NaN and infinities become strings (see ``finite_json``)."""
    text = json.dumps(finite_json(value), indent=indent, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n", sync=sync)


def compact_json(value: Any) -> str:
    """JSON in one line; NaN and infinities become strings. Most values have none: they are not looked for."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        return json.dumps(finite_json(value), ensure_ascii=False, allow_nan=False)


def read_json(path: Path) -> Any:
    """The value in a JSON file.

    Raises:
        FileNotFoundError: there is no such file.
        RecordError: it is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as exc:
        raise RecordError(path, f"not JSON ({exc})") from exc


def read_tail(path: Path, most_bytes: int) -> tuple[str, int]:
    """The end of a file in whole lines, and how many bytes come before it; nothing of a file that cannot be read.

    A last line that is longer than ``most_bytes`` is cut at its beginning.
    """
    try:
        with path.open("rb") as file:
            length = file.seek(0, os.SEEK_END)
            start = max(0, length - most_bytes)
            file.seek(start)
            data = file.read(most_bytes)
    except OSError:
        return "", 0
    if start:
        _, newline, rest = data.partition(b"\n")
        if newline:
            start, data = length - len(rest), rest
    return data.decode("utf-8", "replace"), start


def hash_file(path: Path) -> str:
    """SHA-256 of a file, read in pieces: it may be larger than the memory.

    Raises:
        OSError: it cannot be read.
    """
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            found.update(piece)
    return found.hexdigest()


def append_text(path: Path, text: str) -> None:
    """Adds ``text`` at the end in one write, so that writers at the same time do not mix their lines.

    Raises:
        OSError: the disk is full; a part of the text may have been added.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    try:
        write_all(descriptor, text.encode("utf-8", errors="backslashreplace"))
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Writes all of ``data``: a signal or a nearly full disk can cut one write short."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def swap_symlink(link: Path, target: str) -> None:
    """Points ``link`` at ``target`` in one step; where links are not to be had, a text file holds the name."""
    temporary = link.with_name(f"{link.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        os.symlink(target, temporary)
        os.replace(temporary, link)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        write_text(link, target + "\n")
