"""Where a result comes from: code, command, machine, packages. Gathers; never fails the run for want of a fact.

Whoever only reads records loads this too: what gathering needs is imported where it gathers.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runyard.record.redact import redact, redact_command

#: a larger patch is not kept; the record says so.
PATCH_LIMIT_BYTES = 20_000_000
_ENVIRONMENT = (
    "CUDA_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "CONDA_DEFAULT_ENV",
)
_ENVIRONMENT_PREFIXES = ("SLURM_JOB", "SLURM_ARRAY", "HYDRA_")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitState:
    """The repository around a directory. ``sha`` is None outside one; ``patch`` is None when clean."""

    sha: str | None = None
    branch: str | None = None
    dirty: bool | None = None
    patch: bytes | None = None

    @property
    def short_sha(self) -> str:
        """Seven digits, or ``nogit``."""
        return self.sha[:7] if self.sha else "nogit"


def git_sha(directory: Path) -> str | None:
    """The commit that is checked out around a directory, or None."""
    text = _git(directory, "rev-parse", "HEAD")
    return text.decode().strip() or None if text else None


def git_state(directory: Path) -> GitState:
    """Commit, branch, and what is changed against it: tracked changes as a patch, untracked files by name."""
    sha = git_sha(directory)
    if sha is None:
        return GitState()
    branch = (_git(directory, "rev-parse", "--abbrev-ref", "HEAD") or b"").decode().strip() or None
    status = _git(directory, "status", "--porcelain", "--untracked-files=normal") or b""
    if not status.strip():
        return GitState(sha=sha, branch=branch, dirty=False)
    diff = _git(directory, "diff", "--binary", "HEAD") or b""
    untracked = [line[3:] for line in status.decode(errors="replace").splitlines() if line.startswith("??")]
    notes = "".join(f"# untracked: {name}\n" for name in untracked).encode()
    return GitState(sha=sha, branch=branch, dirty=True, patch=notes + diff)


def _git(directory: Path, *arguments: str) -> bytes | None:
    """Output of a git command; None when git is missing, or says no."""
    import subprocess

    try:
        done = subprocess.run(
            ["git", "-C", str(directory), *arguments],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=30,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def save_patch(git: GitState, path: Path) -> str | None:
    """Keeps the patch of a dirty tree at ``path``; returns the file's name, or why it was not kept, or None."""
    if not git.patch:
        return None
    if len(git.patch) > PATCH_LIMIT_BYTES:
        return f"not kept: {len(git.patch)} bytes is over the limit of {PATCH_LIMIT_BYTES}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(git.patch)
    return path.name


def gather(
    *,
    git: GitState,
    command: Iterable[str],
    environment: Mapping[str, str],
    tags: Iterable[str] = (),
    note: str = "",
    patch: str | None = None,
) -> dict[str, Any]:
    """The provenance of this process, secrets redacted; keys as in docs/on-disk.md."""
    import platform

    return {
        "git": {"sha": git.sha, "branch": git.branch, "dirty": git.dirty, "patch": patch},
        "command": list(redact_command(command)),
        "python": platform.python_version(),
        "executable": sys.executable,
        "packages": packages(),
        "host": host(),
        "gpus": gpu_names(),
        "environment": redact(_interesting(environment)),
        "tags": list(tags),
        "note": note,
    }


def host() -> dict[str, Any]:
    """Name, system and processor of this machine."""
    import platform
    import socket

    return {
        "name": socket.gethostname(),
        "system": platform.platform(),
        "cpu": _cpu_model(),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": _memory_gb(),
    }


def _interesting(environment: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in sorted(environment.items()) if k in _ENVIRONMENT or k.startswith(_ENVIRONMENT_PREFIXES)}


@functools.cache
def _cpu_model() -> str:
    import platform

    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


@functools.cache
def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (OSError, ValueError):
        return None


@functools.cache
def gpu_names() -> list[str]:
    """Names of the graphics processors that ``nvidia-smi -L`` lists; empty when there are none."""
    import shutil
    import subprocess

    if shutil.which("nvidia-smi") is None:
        return []
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.split(" (UUID")[0] for line in done.stdout.splitlines() if line.startswith("GPU ")]


@functools.cache
def _distributions() -> Mapping[str, list[str]]:
    import importlib.metadata

    return importlib.metadata.packages_distributions()


def packages() -> dict[str, str]:
    """Versions of the installed distributions whose modules this process has imported, by distribution name."""
    count = len(sys.modules)  # modules come and do not go: to look at each one takes longer than many a job
    if count not in _seen:
        modules = {name.partition(".")[0] for name in list(sys.modules)}
        _seen.clear()
        _seen[count] = _versions(frozenset(modules))
    return _seen[count]


_seen: dict[int, dict[str, str]] = {}


@functools.lru_cache(maxsize=8)
def _versions(modules: frozenset[str]) -> dict[str, str]:
    known = _distributions()
    names = {d for module in modules for d in known.get(module, ())}
    # Python 3.10 knows only distributions that list their modules; most others are named like their module.
    names |= {m for m in modules if m not in known and m not in sys.stdlib_module_names and not m.startswith("_")}
    return {name: version for name in sorted(names) if (version := installed_version(name)) is not None}


@functools.cache
def installed_version(distribution: str) -> str | None:
    """The version of a distribution that is installed; None when it is not."""
    import importlib.metadata

    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
