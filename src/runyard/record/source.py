"""The source of an application: its folder, and which files in it are its own. Reads the disk, and writes nothing.

In git these are the tracked files and the untracked ones that git does not ignore, as they lie in the working tree.
Outside git they are sources and config files. ``.runyardignore`` in the folder leaves out more, in git too.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runyard.base import UsageError
from runyard.record.ignore import IgnorePatterns
from runyard.record.worktree import git_files, git_ignores, git_top

IGNORE_FILE = ".runyardignore"
#: outside git: source and config files are told by their names.
_SOURCES = (".py", ".pyi", ".pyx", ".pxd", ".so", ".c", ".cc", ".cpp", ".cu", ".cuh", ".h", ".hpp", ".sh")
_CONFIGS = (".yaml", ".yml", ".toml", ".json", ".jsonnet", ".ini", ".cfg", ".conf", ".gin", ".txt")
_NAMES = frozenset({IGNORE_FILE, "py.typed"})
#: outside git: nobody's sources, however they are named.
_NOT_SOURCES = frozenset({"__pycache__", "node_modules"})
#: what the folder of an installed environment has.
_NOT_AN_APPLICATION = frozenset({"pyvenv.cfg", "conda-meta"})
_LIBRARIES = frozenset({"site-packages", "dist-packages"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRoot:
    """The folder of an application.

    ``in_git``: it is the top of a git working tree. ``package``: only this one in the folder is the application's (it
    is installed among others); None for all of the folder.
    """

    path: Path
    in_git: bool
    package: str | None = None


def find_root(cwd: Path, program: str | None) -> SourceRoot:
    """Where the source of a program lies.

    Args:
        cwd: the working directory, which stands in where the program's own folder is not known.
        program: a script's path or a module's name; None when neither is known.

    Raises:
        UsageError: there is a git repository that cannot be read.
    """
    place = os.path.realpath(cwd)
    folder = place
    if program is not None and program.partition(".")[0] == "runyard":
        program = None  # a program of ours runs what others have written
    if program is not None and _is_path(cwd, program):
        if not _is_command(cwd / program):
            place = os.path.realpath(cwd / program)
            folder = place if os.path.isdir(place) else os.path.dirname(place)
    elif program is not None and (found := _module_place(cwd, program.partition(".")[0])) is not None:
        place, folder = found, os.path.dirname(found)
        if _LIBRARIES & set(Path(folder).parts):
            return SourceRoot(path=Path(folder), in_git=False, package=os.path.basename(place))
    top = git_top(folder)
    if top is None or git_ignores(top, place):  # such as a home under git, of which git ignores nearly all
        return SourceRoot(path=Path(folder), in_git=False)
    return SourceRoot(path=Path(top), in_git=True)


def _is_path(cwd: Path, program: str) -> bool:
    return os.sep in program or program.endswith(".py") or (cwd / program).is_file()


def _is_command(path: Path) -> bool:
    """Whether it is a command that an installed package has brought: its folder tells nothing of the package's."""
    folder = os.path.abspath(path.parent)
    return folder in (os.path.dirname(sys.executable), sysconfig.get_path("scripts"))


def _module_place(cwd: Path, name: str) -> str | None:
    """Where a package (its folder) or a module (its file) lies; None when it is not found."""
    spec = importlib.machinery.PathFinder.find_spec(name, [str(cwd)])  # as ``python -m`` looks for it
    if spec is None:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            return None
    if spec is None:
        return None
    place = next(iter(spec.submodule_search_locations or ()), spec.origin if spec.has_location else None)
    return os.path.realpath(place) if place else None


def list_source(
    root: SourceRoot, *, leave_out: Sequence[Path], also: Iterable[Path] = (), most_files: int = 100_000
) -> list[str]:
    """Paths of the source's files and links, relative to the root, in order.

    Args:
        root: the folder.
        leave_out: folders that are left out. One that holds the whole root is taken for a mistake.
        also: files that belong to it although git ignores them, such as built extension modules.
        most_files: outside git, a folder with more files is no application's, but somebody's home.

    Raises:
        UsageError: git cannot list the files; or, outside git, there are too many for an application.
    """
    patterns = _patterns(root.path)
    excluded = [*_inside(root.path, leave_out), *_environments(root.path)]
    names = git_files(str(root.path)) if root.in_git else _walked(root, patterns, excluded, most_files)
    every = {*names, *(_own(root.path, also) if root.package is None else ())}
    return sorted(name for name in every if not patterns.ignores(name) and not _is_below(name, excluded))


def imported_files() -> list[Path]:
    """The files of all modules that this process has imported."""
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    return [Path(file) for file in files if isinstance(file, str)]


def _patterns(root: Path) -> IgnorePatterns:
    try:
        text = (root / IGNORE_FILE).read_text(encoding="utf-8-sig", errors="surrogateescape")
    except FileNotFoundError:
        text = ""
    return IgnorePatterns(text.split("\n"))


def _inside(root: Path, paths: Iterable[Path]) -> list[str]:
    """Those of the paths that lie below the root, relative to it: as they are spelled, and as links lead."""
    found = {
        name for path in paths for name in (below(root, os.path.abspath(path)), below(root, os.path.realpath(path)))
    }
    return sorted(name for name in found if name)


def _own(root: Path, files: Iterable[Path]) -> list[str]:
    """Those of the files that lie below the root, less what is installed there."""
    return [name for name in _inside(root, files) if _LIBRARIES.isdisjoint(name.split("/"))]


def _environments(root: Path) -> list[str]:
    """The environment that this process runs in, where it lies in the root."""
    return _inside(root, [Path(sys.prefix), Path(sys.base_prefix)])


def below(root: Path, path: str) -> str | None:
    """An absolute path relative to the root; empty for the root itself, None for one outside."""
    if path == str(root):
        return ""
    prefix = str(root).rstrip(os.sep) + os.sep
    return path[len(prefix) :] if path.startswith(prefix) else None


def _is_below(name: str, folders: Sequence[str]) -> bool:
    return any(name == folder or name.startswith(f"{folder}/") for folder in folders)


def _walked(root: SourceRoot, patterns: IgnorePatterns, excluded: Sequence[str], most_files: int) -> Iterator[str]:
    """Outside git: sources and config files, less hidden folders and whole environments."""
    seen, waiting = 0, [root.package or ""]
    if root.package is not None and (root.path / root.package).is_file():
        yield root.package
        return
    while waiting:
        folder = waiting.pop()
        try:
            entries = list(os.scandir(root.path / folder))
        except PermissionError:  # nothing can be imported from it either
            continue
        seen += len(entries)
        if seen > most_files:
            raise _too_many(root.path, most_files)
        if folder and not _NOT_AN_APPLICATION.isdisjoint(entry.name for entry in entries):
            continue
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if not entry.is_dir(follow_symlinks=False):
                if is_source(entry.name) or (entry.is_symlink() and entry.is_dir()):
                    yield name
            elif not (_is_nobodys(entry.name) or patterns.ignores_folder(name) or _is_below(name, excluded)):
                waiting.append(name)


def is_source(name: str) -> bool:
    """Whether a file is a source or a config file, by its name."""
    return name in _NAMES or name.endswith(_SOURCES + _CONFIGS)


def _is_nobodys(folder: str) -> bool:
    return folder.startswith(".") or folder in _NOT_SOURCES or folder in _LIBRARIES


def _too_many(root: Path, most_files: int) -> UsageError:
    return UsageError(
        f"there are more than {most_files:,} files about the program: too many to look for its code there",
        where=str(root),
        todo=f"give the application a folder of its own, or put it under git, or name folders in {IGNORE_FILE}",
    )
