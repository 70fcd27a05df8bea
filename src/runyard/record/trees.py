"""A store of frozen trees: folders named after their content. What several trees have in common lies on disk once.

    <store>/objects/<sha256>     the text of a file (with an ``x`` behind it: of an executable one)
    <store>/<digest>/            a tree; its files are hard links to objects, or copies where links are not to be had
    <store>/<digest>/.runyard_tree.json     what the tree holds; written last

Files cannot be written to and have all the same time, so that a change by mistake is hard, and shows. Folders can be
written to: Python keeps its bytecode there. Knows nothing of where a tree comes from.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runyard.base import write_all

MARKER = ".runyard_tree.json"
_DIGITS = 20
#: 2001-01-01 UTC: any time will do that is not the present one, and that archives can tell.
_TIME_NS = 978_307_200 * 10**9
#: file systems without hard links, files of other users, too many links to one file.
_NO_LINKS = (errno.EPERM, errno.EACCES, errno.EXDEV, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file or a symbolic link of a tree.

    ``path`` is relative to the tree; ``key`` names the object of a file, or is where a link leads; ``size`` is in
    bytes, 0 for a link.
    """

    path: str
    is_link: bool
    key: str
    size: int


def digest_of_tree(entries: Iterable[TreeEntry]) -> str:
    """The name of a tree with this content."""
    text = json.dumps(sorted([e.path, e.is_link, e.key] for e in entries))  # ASCII: any name of a file can be told
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:_DIGITS]


class TreeStore:
    """The store in one folder. Several processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._objects = folder / "objects"

    def keep(self, data: bytes, *, executable: bool) -> str:
        """Keeps the text of a file, and returns its object's name.

        Raises:
            OSError: it cannot be written.
        """
        key = hashlib.sha256(data).hexdigest() + ("x" if executable else "")
        place = f"{self._objects}/{key}"
        if not _is_sound(place, len(data)):
            os.makedirs(self._objects, exist_ok=True)
            _write(place, data, executable=executable)
        return key

    def build(self, entries: Iterable[TreeEntry]) -> Path:
        """The tree with these entries, whose objects are kept. One that is there and whole is used as it is.

        A tree appears under its name whole or not at all. One that was torn later is mended in its place.

        Raises:
            OSError: it cannot be written.
        """
        entries = sorted(entries, key=lambda entry: entry.path)
        tree = self._folder / digest_of_tree(entries)
        if _is_whole(tree, entries):
            return tree
        if tree.is_dir():
            self._fill(tree, entries)
            return tree
        draft = self._folder / f".{tree.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
        try:
            draft.mkdir(parents=True)
            self._fill(draft, entries)
            _rename_unless_there(draft, tree)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return tree

    def _fill(self, tree: Path, entries: list[TreeEntry]) -> None:
        """Makes every entry that is missing or damaged, then the marker."""
        made: set[str] = set()
        for entry in entries:
            place = f"{tree}/{entry.path}"
            folder = os.path.dirname(place)
            if folder not in made:
                os.makedirs(folder, exist_ok=True)
                made.add(folder)
            if _is_as_told(place, entry):
                continue
            draft = _beside(place)
            try:
                if entry.is_link:
                    os.symlink(entry.key, draft)
                else:
                    _link_or_copy(f"{self._objects}/{entry.key}", draft)
                os.replace(draft, place)
            finally:  # of two names of one file the first stays when it is renamed to the second
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(draft)
        _write(f"{tree}/{MARKER}", _told(entries), executable=False)


def read_tree(tree: Path) -> list[TreeEntry] | None:
    """What a tree is to hold, in order; None where its marker is missing or damaged."""
    try:
        told = json.loads((tree / MARKER).read_bytes())
        return [TreeEntry(*entry) for entry in told["entries"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def missing_entries(tree: Path, entries: Iterable[TreeEntry]) -> list[str]:
    """Paths of the entries that are missing, or have another size, time or target. Reads no file."""
    return [entry.path for entry in entries if not _is_as_told(f"{tree}/{entry.path}", entry)]


def damaged_entries(tree: Path, entries: Iterable[TreeEntry]) -> list[str]:
    """Paths of the entries that are missing, or differ by text, kind or permission to be executed. Reads every file."""
    return [entry.path for entry in entries if not _is_intact(f"{tree}/{entry.path}", entry)]


def _is_intact(place: str, entry: TreeEntry) -> bool:
    try:
        if entry.is_link:
            return os.readlink(place) == entry.key
        mode = os.lstat(place).st_mode
        with open(place, "rb") as file:
            found = hashlib.sha256(file.read()).hexdigest() + ("x" if mode & stat.S_IXUSR else "")
    except OSError:
        return False
    return stat.S_ISREG(mode) and found == entry.key


def _is_whole(tree: Path, entries: list[TreeEntry]) -> bool:
    return read_tree(tree) == entries and not missing_entries(tree, entries)


def _is_as_told(place: str, entry: TreeEntry) -> bool:
    if not entry.is_link:
        return _is_sound(place, entry.size)
    try:
        return os.readlink(place) == entry.key
    except OSError:
        return False


def _is_sound(place: str, size: int) -> bool:
    """Whether a file has the size and the time that it was given: a change by mistake would show in them."""
    try:
        found = os.lstat(place)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == size and found.st_mtime_ns == _TIME_NS


def _told(entries: list[TreeEntry]) -> bytes:
    rows = [[entry.path, entry.is_link, entry.key, entry.size] for entry in entries]
    return json.dumps({"schema": 1, "entries": rows}).encode("ascii")


def _beside(place: str) -> str:
    return os.path.join(os.path.dirname(place), f".{os.getpid()}-{os.urandom(4).hex()}.tmp")


def _write(place: str, data: bytes, *, executable: bool) -> None:
    """A file that cannot be written to, in one step; unlike ``write_bytes``'s it has its time before its name."""
    draft = _beside(place)
    mode = 0o555 if executable else 0o444
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        try:
            write_all(descriptor, data)
            os.utime(descriptor, ns=(_TIME_NS, _TIME_NS))
        finally:
            os.close(descriptor)
        os.replace(draft, place)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise


def _link_or_copy(source: str, place: str) -> None:
    try:
        os.link(source, place)
    except OSError as exc:
        if exc.errno not in _NO_LINKS:
            raise
        with open(source, "rb") as file:
            _write(place, file.read(), executable=source.endswith("x"))


def _rename_unless_there(draft: Path, tree: Path) -> None:
    try:
        os.rename(draft, tree)
    except OSError as exc:
        if exc.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise  # else another process has made the same tree meanwhile
