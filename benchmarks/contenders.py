"""Who is measured: the words on the command line that choose a launcher, and whether it can be had here."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

#: processes that each contender may use at a time; Hydra's basic launcher can use one.
PROCESSES = 2
#: jobs that submitit's local executor is given at a time: it starts a Python process for each of them at once.
_BATCH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A launcher.

    ``package`` is what has to be installed for it, ``python`` the interpreter of the environment in which it is, and
    ``version`` which one it is there.
    """

    key: str
    name: str
    words: tuple[str, ...]
    package: str
    note: str
    python: str = sys.executable
    version: str | None = None


CONTENDERS = {
    c.key: c
    for c in (
        Contender(
            key="ours",
            name="Runyard",
            words=("+runyard=local", f"hydra.launcher.n_jobs={PROCESSES}"),
            package="runyard",
            note=f"{PROCESSES} at a time, each job a process forked from a warm template, with its record, journal, "
            "registry, tables, figure and notes",
        ),
        Contender(
            key="spawn",
            name="Runyard, without warm start",
            words=("+runyard=local", f"hydra.launcher.n_jobs={PROCESSES}", "hydra.launcher.isolation=spawn"),
            package="runyard",
            note=f"{PROCESSES} at a time, each job a Python process that is started anew (`isolation=spawn`)",
        ),
        Contender(
            key="basic",
            name="Hydra basic",
            words=(),
            package="hydra-core",
            note="one after another, all in one process: no isolation",
        ),
        Contender(
            key="joblib",
            name="hydra-joblib-launcher",
            words=("hydra/launcher=joblib", f"hydra.launcher.n_jobs={PROCESSES}"),
            package="hydra-joblib-launcher",
            note=f"{PROCESSES} processes that run many jobs each: what a job leaves in its process, the next one finds",
        ),
        Contender(
            key="submitit",
            name="hydra-submitit-launcher, local",
            words=("hydra/launcher=submitit_local", f"hydra.sweeper.max_batch_size={_BATCH}"),
            package="hydra-submitit-launcher",
            note=f"a new Python process for each job, {_BATCH} at a time: it starts all it is given at once, and a "
            "thousand would not fit into memory",
        ),
        Contender(
            key="ray",
            name="hydra-ray-launcher",
            words=(
                "hydra/launcher=ray",
                f"+hydra.launcher.ray.init.num_cpus={PROCESSES}",
                "+hydra.launcher.ray.init.include_dashboard=false",
            ),
            package="hydra-ray-launcher",
            note=f"{PROCESSES} worker processes that run many jobs each, without the dashboard; in an environment of "
            "its own, since it wants an older cloudpickle",
        ),
    )
}


def present(ray_python: Path | None = None) -> dict[str, Contender]:
    """The contenders that can be had; ``ray_python`` is the interpreter of an environment with hydra-ray-launcher."""
    found = {}
    for key, contender in CONTENDERS.items():
        python = str(ray_python) if key == "ray" and ray_python is not None else sys.executable
        version = _version_in(python, contender.package)
        if version is not None and (key != "spawn" or _knows_isolation()):
            found[key] = dataclasses.replace(contender, python=python, version=version)
    return found


def absent(found: Iterable[str]) -> list[str]:
    """The names of the others."""
    return [contender.name for key, contender in CONTENDERS.items() if key not in set(found)]


def _version_in(python: str, package: str) -> str | None:
    """Which version of a package an environment has; None for none."""
    program = (
        "import sys\nfrom importlib.metadata import PackageNotFoundError, version\n"
        "try:\n    print(version(sys.argv[1]))\nexcept PackageNotFoundError:\n    print()"
    )
    done = subprocess.run([python, "-c", program, package], capture_output=True, text=True, check=True)
    return done.stdout.strip() or None


def _knows_isolation() -> bool:
    from hydra_plugins.runyard.launcher import RunyardLocalConf

    return "isolation" in {field.name for field in dataclasses.fields(RunyardLocalConf)}
