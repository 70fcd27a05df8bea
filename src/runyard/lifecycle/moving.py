"""Moving a folder so that a kill at any instant leaves it whole in one of the two places (or, for a moment, in both).

Within a file system that is one rename. Across file systems the folder is copied beside its new place under a hidden
name, compared file by file, renamed; and only then taken away where it was.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from runyard.base import StorageError, UsageError

_CHUNK = 1 << 20
#: the lock of a sweep: not copied, because closing a file that one has a POSIX lock on gives the lock up.
NOT_COPIED = ".controller"


def move_folder(
    source: Path, target: Path, *, aside: Collection[str] = (), rename: Callable[[Path, Path], None] = os.rename
) -> None:
    """Moves ``source`` to ``target``. A move across file systems that was killed is taken up where it can be.

    Args:
        source: the folder.
        target: its new name; the folders above it are made.
        aside: names of files in which a finished copy may differ from the original.
        rename: how a folder gets another name.

    Raises:
        UsageError: something else is at ``target``.
        StorageError: the copy is not equal to the original, which is as before.
        OSError: the disk is full, or one may not write there; the original is as before.
    """
    if not _is_there(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            rename(source, target)
        except OSError as exc:
            if exc.errno != errno.EXDEV:
                raise
        else:
            return
        _copy(source, target)
    elif difference(source, target, aside=aside) is not None:
        raise UsageError("the place is taken", where=str(target), todo="move what is there, or name another place")
    remove_folder(source)


def remove_folder(folder: Path) -> None:
    """Takes a folder away: it is out of sight at once, then deleted.

    What earlier removals beside it have left, because they were killed, goes too.
    """
    leaving = folder.with_name(f".{folder.name}.{os.urandom(4).hex()}.leaving")
    os.rename(folder, leaving)
    shutil.rmtree(leaving, ignore_errors=True)
    for left in folder.parent.glob(".*.leaving"):
        shutil.rmtree(left, ignore_errors=True)


def _is_there(target: Path) -> bool:
    return target.is_symlink() or target.exists()


def _copy(source: Path, target: Path) -> None:
    beside = target.with_name(f".{target.name}.part")
    shutil.rmtree(beside, ignore_errors=True)  # what a killed move has left
    try:
        shutil.copytree(source, beside, symlinks=True, ignore=shutil.ignore_patterns(NOT_COPIED))
        wrong = difference(source, beside)
        if wrong is not None:
            problem = f"the copy differs from the original in {wrong}"
            raise StorageError(str(beside), problem, "look at the disk, and try again")
        os.rename(beside, target)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def difference(left: Path, right: Path, *, aside: Collection[str] = ()) -> str | None:
    """The first file in which two folders differ, by name, kind or content; None where they are equal.

    ``aside`` are names that do not count.
    """
    ours = {name: kind for name, kind in _entries(left) if name not in aside}
    theirs = {name: kind for name, kind in _entries(right) if name not in aside}
    for name in sorted(ours.keys() ^ theirs.keys()):
        return name
    for name, kind in ours.items():
        if kind != theirs[name] or (kind.startswith("file") and _digest(left / name) != _digest(right / name)):
            return name
    return None


def _entries(folder: Path) -> Iterator[tuple[str, str]]:
    """Every entry below a folder with its kind: of a link where it leads, of a file its size."""
    for above, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(above, name)
            if name == NOT_COPIED:
                continue
            if path.is_symlink():
                kind = f"link {os.readlink(path)}"
            else:
                kind = "folder" if path.is_dir() else f"file {path.stat().st_size}"
            yield str(path.relative_to(folder)), kind


def _digest(path: Path) -> bytes:
    """SHA-256 of a file, after the disk has all of it."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        os.fsync(file.fileno())
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.digest()
