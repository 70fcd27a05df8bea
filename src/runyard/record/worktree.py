"""Git's working tree: where it begins, and which files in it are no mere by-products. Asks git."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from runyard.base import UsageError

if TYPE_CHECKING:
    import subprocess

#: what leads git to another repository than the folder's; a git hook sets them, for one.
_GIT_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")


def git_top(folder: str) -> str | None:
    """The top of the working tree around a folder; None outside one.

    Raises:
        UsageError: there is a repository that git is not there to read, or refuses to.
    """
    if not any(os.path.lexists(os.path.join(parent, ".git")) for parent in (folder, *map(str, Path(folder).parents))):
        return None
    done = _git(folder, "rev-parse", "--show-toplevel")
    if done.returncode == 0:
        return os.path.realpath(os.fsdecode(done.stdout.removesuffix(b"\n")))
    if b"not a git repository" in done.stderr:  # a .git that is none, or beyond a mount point
        return None
    raise _refused(folder, done.stderr)


def git_ignores(top: str, place: str) -> bool:
    """Whether git ignores a file or folder in the working tree, which it does not track."""
    return place != top and _git(top, "check-ignore", "--quiet", "--", place).returncode == 0


def git_files(top: str) -> list[str]:
    """Tracked files and untracked ones that are not ignored, relative to the top.

    Those of submodules that are checked out, and of clones in the tree, are among them. A tracked file may be missing.

    Raises:
        UsageError: git cannot list them.
    """
    done = _git(top, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if done.returncode != 0:
        raise _refused(top, done.stderr)
    found: dict[str, None] = {}
    for name in map(os.fsdecode, done.stdout.split(b"\0")):
        folder = os.path.join(top, name)
        if name.endswith("/"):  # another repository, untracked: a clone is part of the code, a second working tree not
            inner = git_files(folder) if os.path.isdir(os.path.join(folder, ".git")) else []
        elif name and os.path.isdir(folder) and not os.path.islink(folder):  # a submodule
            inner = git_files(folder) if os.path.lexists(os.path.join(folder, ".git")) else []
        else:
            found.update({name: None} if name else {})
            continue
        found.update((f"{name.rstrip('/')}/{file}", None) for file in inner)
    return list(found)


def _git(folder: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    import subprocess

    kept = {name: value for name, value in os.environ.items() if name not in _GIT_ELSEWHERE}
    try:
        return subprocess.run(
            ["git", "-C", folder, *arguments],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
            env={**kept, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        )
    except FileNotFoundError as exc:
        raise _refused(folder, b"git is not on PATH") from exc


def _refused(folder: str, stderr: bytes) -> UsageError:
    return UsageError(
        f"git cannot tell which files belong to the code: {stderr.decode(errors='replace').strip()}",
        where=folder,
        todo="mend what git says there (git ls-files must work), then submit again",
    )
