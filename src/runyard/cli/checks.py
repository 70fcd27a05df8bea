"""What the doctor looks at, a function each. They change nothing but a scratch folder that they take away again."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runyard.base import RecordError, SweepState, swap_symlink, write_text
from runyard.cli.options import reference_to
from runyard.cli.words import count
from runyard.record import REGISTRY_FOLDER, git_sha, gpu_names, host
from runyard.registry import Condition, Registry, differences, list_sweeps, unreadable_sweeps

OK, WARNING, PROBLEM = "ok", "warning", "problem"

_PLUGINS = ("runyard_local", "runyard")
_FREE_GB = 1.0
_STALE_S = 3600.0
_TEMPORARY = re.compile(r"\.\d+-[0-9a-f]{8}\.tmp$")
_HYDRA = """
import json, hydra
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
Plugins.instance()
names = [n[:-5] for k in ("launcher", "sweeper", "callbacks") for n in ConfigStore.instance().repo["hydra"].get(k, {})]
print(json.dumps({"version": hydra.__version__, "file": hydra.__file__, "names": names}))
"""
_TRY_LOCK = """
import fcntl, sys
try:
    fcntl.lockf(open(sys.argv[1], "r+"), fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    sys.exit(3)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What was found; ``level`` is ``ok``, ``warning`` or ``problem``; ``todo`` is empty when all is well."""

    name: str
    level: str
    found: str
    todo: str = ""


def all_checks(roots: Sequence[Path]) -> list[Check]:
    """Every check, of the machine first, then of each root that there is."""
    checks = [check_python(), check_hydra(), check_git(Path.cwd()), check_machine()]
    for root in roots:
        if root.is_dir():
            checks += [check_files(root), check_registry(root), *check_sweeps(root, roots), *check_stale(root)]
        else:
            checks.append(Check(name=str(root), level=OK, found="is not there yet; the first sweep makes it"))
    return checks


def check_python() -> Check:
    """Version and place of the interpreter."""
    return Check(name="python", level=OK, found=f"{sys.version.split()[0]} ({sys.executable})")


def check_hydra() -> Check:
    """Whether Hydra, in a process of its own, finds our plugins."""
    done = subprocess.run(
        [sys.executable, "-c", _HYDRA], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return Check(name="hydra", level=PROBLEM, found=f"does not start: {last}", todo="pip install hydra-core")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    missing = [name for name in _PLUGINS if name not in found["names"]]
    if missing:
        return Check(
            name="hydra",
            level=PROBLEM,
            found=f"{found['version']} does not find our plugins ({', '.join(missing)})",
            todo="install runyard into the same environment as Hydra: pip install --force-reinstall runyard",
        )
    return Check(name="hydra", level=OK, found=f"{found['version']}, finds our plugins")


def check_git(directory: Path) -> Check:
    """Whether results made from here would carry a commit."""
    if shutil.which("git") is None:
        return Check(name="git", level=WARNING, found="not found: results will carry no commit", todo="install git")
    sha = git_sha(directory)
    if sha is None:
        return Check(
            name="git",
            level=WARNING,
            found="this directory is in no repository with a commit: results made from here will carry none",
            todo="run git init here and commit",
        )
    return Check(name="git", level=OK, found=f"this directory is at {sha[:7]}")


def check_machine() -> Check:
    """Cores, memory and graphics processors."""
    here, names = host(), gpu_names()
    gpus = f"{len(names)} GPUs ({names[0]})" if names else "no GPU"
    return Check(name="machine", level=OK, found=f"{here['cpus']} cores, {here['memory_gb']} GB memory, {gpus}")


def check_files(root: Path) -> Check:
    """Whether the file system renames in one step, makes a name once only, links and locks, and has room."""
    name = f"{root}: file system"
    try:
        with tempfile.TemporaryDirectory(dir=root, prefix=".doctor-") as folder:
            level, found, todo = _try_files(Path(folder))
    except OSError as error:
        return Check(name=name, level=PROBLEM, found=str(error), todo="give yourself the right to write there")
    free_gb = shutil.disk_usage(root).free / 2**30
    if level == OK and free_gb < _FREE_GB:
        return Check(name=name, level=WARNING, found=f"only {free_gb:.2f} GB are free", todo="make room")
    return Check(name=name, level=level, found=f"{found}, {free_gb:.0f} GB free", todo=todo)


def _try_files(folder: Path) -> tuple[str, str, str]:
    write_text(folder / "file", "one")
    write_text(folder / "file", "two")
    swap_symlink(folder / "link", "file")
    if (folder / "file").read_text() != "two":
        return PROBLEM, "a renamed file does not show at once", "use another file system"
    if not _locks_hold(folder / "lock"):
        return (
            PROBLEM,
            "locks do not keep other processes out",
            "use a file system with locks (NFS: version 4 or lockd)",
        )
    if not _names_are_exclusive(folder):
        return (
            PROBLEM,
            "a name that is taken can be made again: a job could run twice",
            "use another file system",
        )
    if not (folder / "link").is_symlink():
        return WARNING, "renames and locks; no links, 'latest' will be a text file", ""
    return OK, "renames, links and locks", ""


def _names_are_exclusive(folder: Path) -> bool:
    """Whether a claim can be made once only: by a hard link, or where there are none by ``O_EXCL``."""
    for name in ("claim", "claim"):
        try:
            os.link(folder / "file", folder / name)
        except FileExistsError:
            return True
        except OSError:
            break
    else:
        return False
    try:
        for _ in range(2):
            os.close(os.open(folder / "exclusive", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return True
    return False


def _locks_hold(path: Path) -> bool:
    import fcntl

    with path.open("w") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return subprocess.run([sys.executable, "-c", _TRY_LOCK, str(path)], check=False).returncode == 3


def check_registry(root: Path) -> Check:
    """Whether the registry opens and equals the files."""
    name, todo = f"{root}: registry", f"runyard reindex --root {shlex.quote(str(root))}"
    try:
        condition = Registry(root).condition()
        if condition is Condition.MISSING and not list_sweeps(root):
            return Check(name=name, level=OK, found="no sweeps, no registry")
        if condition is not Condition.WHOLE:
            return Check(name=name, level=WARNING, found=condition.value, todo=todo)
        different = differences(root)
    except RecordError as error:
        return Check(name=name, level=PROBLEM, found=str(error), todo=f"if no sweep is at work: {todo}")
    if different:
        more = f" and {len(different) - 3} more" if len(different) > 3 else ""
        return Check(name=name, level=WARNING, found="; ".join(different[:3]) + more, todo=todo)
    return Check(name=name, level=OK, found=f"equals the files, {count(len(list_sweeps(root)), 'sweep')}")


def check_sweeps(root: Path, roots: Sequence[Path]) -> Iterator[Check]:
    """Sweeps whose record cannot be read, and those whose controller died."""
    for problem in unreadable_sweeps(root):
        todo = "put it back from a copy, or move the directory away"
        yield Check(name=f"{root}: record", level=PROBLEM, found=str(problem), todo=todo)
    for row in list_sweeps(root):
        if row["state"] == SweepState.RUNNING.value and _is_lost(Path(row["path"])):
            what = "resume" if not row["single"] else "collect"
            todo = f"runyard {what} {shlex.quote(reference_to(row['sweep_id'], Path(row['path']), roots))}"
            yield Check(
                name=f"{root}: sweep", level=WARNING, found=f"the controller of {row['sweep_id']} died", todo=todo
            )


def _is_lost(sweep_dir: Path) -> bool:
    from runyard.cli.stand import standing_of

    try:
        return standing_of(sweep_dir).status.record.state is SweepState.LOST
    except RecordError:
        return False


def check_stale(root: Path) -> Iterator[Check]:
    """Temporary files that a killed process left: of ours, and older than an hour."""
    stale = sorted(path for folder in _our_folders(root) for path in _temporary(folder))
    if stale:
        yield Check(
            name=f"{root}: left-over files",
            level=WARNING,
            found=f"{count(len(stale), 'temporary file')} of processes that were killed, such as {stale[0]}",
            todo="remove them: " + shlex.join(["rm", *map(str, stale[:3])]) + (" ..." if len(stale) > 3 else ""),
        )


def _our_folders(root: Path) -> Iterator[Path]:
    """Where this library writes: the root, its registry's folder, experiments, sweeps and runs."""
    yield from (root, root / REGISTRY_FOLDER)
    for sweep_dir in (Path(row["path"]) for row in list_sweeps(root)):
        yield from (sweep_dir.parent, sweep_dir)
        with os.scandir(sweep_dir) as entries:
            yield from (sweep_dir / entry.name for entry in entries if entry.is_dir(follow_symlinks=False))


def _temporary(folder: Path) -> Iterator[Path]:
    oldest = time.time() - _STALE_S
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if _TEMPORARY.search(entry.name) and entry.stat(follow_symlinks=False).st_mtime < oldest:
                    yield Path(entry.path)
    except OSError:
        return
