"""The machine and the versions that a measurement was made with; nothing that names the machine."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = (
    "runyard",
    "hydra-core",
    "omegaconf",
    "hydra-joblib-launcher",
    "joblib",
    "hydra-submitit-launcher",
    "submitit",
    "torch",
)


def machine_facts() -> dict[str, str]:
    """Name to text."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return {
        "processors": f"{len(os.sched_getaffinity(0))} ({_processor()})",
        "memory": f"{memory_gb:.0f} GB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": ", ".join(f"{name} {found}" for name in _PACKAGES if (found := _version(name))),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
