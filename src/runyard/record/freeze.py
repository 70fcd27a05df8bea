"""Freezing code: the source of an application as it lies on disk now, as a tree that nobody edits.

Symbolic links: one that leads to something that is frozen too is kept, and leads to the frozen copy. Of the others, one
to a source or config file is followed; any other leads to where it led before, such as to a folder of data.
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from runyard.base import StorageError, UsageError
from runyard.record.source import IGNORE_FILE, below, find_root, imported_files, is_source, list_source
from runyard.record.trees import (
    MARKER,
    TreeEntry,
    TreeStore,
    damaged_entries,
    digest_of_tree,
    missing_entries,
    read_tree,
)

_MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenCode:
    """A frozen copy of an application's code.

    ``root`` is the folder that was frozen: git's top folder, or outside git the one that the program lies in. ``tree``
    is where its copy lies. ``files`` counts files and links; ``bytes`` is their size. ``whole``: all of the folder's
    code is in the copy; else it is one package among others that are installed in the folder.
    """

    root: Path
    tree: Path
    digest: str
    files: int
    bytes: int
    whole: bool = True

    def moved(self, path: str) -> str:
        """A path inside the root, in any spelling, as the absolute path of its frozen copy.

        Others come back as they are, also those inside the root that were not frozen, such as data and environments.
        """
        full = os.path.abspath(path)
        folder, name = os.path.split(full)
        for spelled in (full, os.path.join(os.path.realpath(folder), name), os.path.realpath(full)):
            inside = below(self.root, spelled)
            if inside is not None:
                moved = os.path.join(self.tree, inside) if inside else str(self.tree)
                if os.path.lexists(moved):
                    return moved
        return path

    def sys_path(self, entries: Sequence[str], *, cwd: Path | None = None) -> list[str]:
        """Entries of ``sys.path``, with those inside the root moved.

        Args:
            entries: ``""`` and relative ones are meant against ``cwd``.
            cwd: a working directory; None for this process's.
        """
        found = []
        for entry in entries:
            full = os.path.join(cwd or Path.cwd(), entry)
            moved = self.moved(full)
            if moved == full:
                found.append(entry)
            else:  # what lies beside a package that was frozen alone is still to be found
                found.extend([moved] if self.whole else [moved, entry])
        return found

    def missing(self) -> list[str]:
        """Paths in the tree of what is not there any more, or has not the size and the time that it was given.

        Looks at names only. What reads the code from a tree that lacks some would find other code, or none.
        """
        entries = read_tree(self.tree)
        return [MARKER] if entries is None else missing_entries(self.tree, entries)

    def verify(self) -> list[str]:
        """Paths in the tree of what is missing or damaged; empty when the tree is what it was. Reads every file."""
        entries = read_tree(self.tree)
        if entries is None or digest_of_tree(entries) != self.digest:
            return [MARKER]
        return damaged_entries(self.tree, entries)

    def to_json(self) -> dict[str, Any]:
        """The mapping that stands in ``snapshot/tree.json``."""
        return {
            "root": str(self.root),
            "tree": str(self.tree),
            "digest": self.digest,
            "files": self.files,
            "bytes": self.bytes,
            "whole": self.whole,
        }

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> FrozenCode:
        """What ``to_json`` told.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        return FrozenCode(
            root=Path(value["root"]),
            tree=Path(value["tree"]),
            digest=str(value["digest"]),
            files=int(value["files"]),
            bytes=int(value["bytes"]),
            whole=bool(value["whole"]),
        )


def freeze_code(
    cwd: Path,
    store: Path,
    *,
    program: str | None,
    most_mb: float = 200.0,
    leave_out: Sequence[Path] = (),
    also: Iterable[Path] | None = None,
) -> FrozenCode:
    """Freezes the code of a program, as it lies in the working tree now.

    Args:
        cwd: the working directory.
        store: the folder of frozen trees, which sweeps share; it is made where it is missing.
        program: a script's path or a module's name; None when neither is known: then the code around ``cwd``.
        most_mb: the largest size, in millions of bytes.
        leave_out: folders of results, which are no code even where git does not ignore them.
        also: files that belong to the code although git ignores them, such as a built extension module; None for those
            that this process has imported.

    Raises:
        UsageError: it is larger than ``most_mb``, or a file of it cannot be read, or git cannot list the files.
        StorageError: the store cannot be written to. No tree is there half-made.
    """
    root = find_root(cwd, program)
    names = list_source(root, leave_out=[*leave_out, store], also=imported_files() if also is None else also)
    pieces = _pieces(root.path, names)
    _check_size(root.path, pieces, most_mb)
    keeper = TreeStore(Path(os.path.abspath(store)))
    try:
        entries = [entry for piece in pieces if (entry := _entry(root.path, piece, keeper)) is not None]
        tree = keeper.build(entries)
    except OSError as exc:
        raise StorageError(
            str(exc.filename or store), exc.strerror or str(exc), "free some space there, then submit again"
        ) from exc
    return FrozenCode(
        root=root.path,
        tree=tree,
        digest=tree.name,
        files=len(entries),
        bytes=sum(entry.size for entry in entries),
        whole=root.package is None,
    )


class _Piece(NamedTuple):
    """A file to be frozen, or a link and where it is to lead."""

    name: str
    leads: str | None
    size: int


def _pieces(root: Path, names: Sequence[str]) -> list[_Piece]:
    """What is there of the names: git also tells of tracked files that have been deleted."""
    there = {name for name in names if os.path.lexists(root / name) and name != MARKER}
    frozen = there | {parent for name in there for parent in _parents(name)}
    found = (_piece(root, name, frozen) for name in sorted(there))
    return [piece for piece in found if piece is not None]


def _piece(root: Path, name: str, frozen: Collection[str]) -> _Piece | None:
    try:
        if os.path.islink(root / name) and (leads := _leads(root, name, frozen)) is not None:
            return _Piece(name, leads, 0)
        seen = os.stat(root / name)
    except FileNotFoundError:  # it was there a moment ago
        return None
    return _Piece(name, None, seen.st_size) if stat.S_ISREG(seen.st_mode) else None


def _parents(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _leads(root: Path, name: str, frozen: Collection[str]) -> str | None:
    """Where the frozen copy of a link is to lead; None for one that is followed."""
    folder = os.path.dirname(name)
    target = os.path.join(root, folder, os.readlink(root / name))
    for spelled in (os.path.normpath(target), os.path.realpath(target)):
        inside = below(root, spelled)
        if inside == "" or inside in frozen:
            return os.path.relpath(inside or ".", folder or ".")
    return None if is_source(os.path.basename(name)) and os.path.isfile(target) else target


def _entry(root: Path, piece: _Piece, store: TreeStore) -> TreeEntry | None:
    """Keeps what the tree is to hold; None for a file that is no longer there."""
    if piece.leads is not None:
        return TreeEntry(piece.name, True, piece.leads, 0)
    try:
        with open(root / piece.name, "rb") as file:
            data, mode = file.read(), os.fstat(file.fileno()).st_mode
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise UsageError(
            f"a file of the code cannot be read: {exc.strerror}",
            where=str(root / piece.name),
            todo=f"make it readable, or name it in {root / IGNORE_FILE}",
        ) from exc
    return TreeEntry(piece.name, False, store.keep(data, executable=bool(mode & stat.S_IXUSR)), len(data))


def _check_size(root: Path, pieces: Sequence[_Piece], most_mb: float) -> None:
    size = sum(piece.size for piece in pieces)
    if size <= most_mb * _MB:
        return
    largest = sorted(pieces, key=lambda piece: (-piece.size, piece.name))[:3]
    named = ", ".join(f"{ascii(piece.name)[1:-1]} ({_mb(piece.size)})" for piece in largest)
    raise UsageError(
        f"the code is too large to be frozen with the sweep: {_mb(size)} in {len(pieces)} files, "
        f"and the limit is {_mb(most_mb * _MB)}; the largest are {named}",
        where=str(root),
        todo=f"name what is no code in {root / IGNORE_FILE} (written like .gitignore), "
        f"or raise the limit: hydra.launcher.snapshot_mb={math.ceil(size / _MB)}",
    )


def _mb(size: float) -> str:
    return f"{size / _MB:,.1f} MB" if size >= _MB / 10 else f"{size / 1000:,.1f} kB"
