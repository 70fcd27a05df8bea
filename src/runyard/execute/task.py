"""What is run and what came of it. Data only."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runyard.base import UsageError


def _check(key: str, value: object, holds: bool, wanted: str) -> None:
    if not holds:
        raise UsageError(f"{key} is {value}", where=f"hydra.launcher.resources.{key}", todo=f"give {wanted}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a job asks for. ``gpus`` below 1 is a part of one; ``mem_gb`` None means no limit.

    Raises:
        UsageError: a number is out of range.
    """

    cpus: int = 1
    gpus: float = 0
    mem_gb: float | None = None
    nodes: int = 1

    def __post_init__(self) -> None:
        _check("cpus", self.cpus, self.cpus >= 1 and self.cpus == int(self.cpus), "a whole number of at least 1")
        whole = self.gpus == int(self.gpus)
        _check("gpus", self.gpus, self.gpus >= 0 and (self.gpus < 1 or whole), "a whole number, or a part of 1 as 0.5")
        _check("nodes", self.nodes, self.nodes >= 1, "a number of at least 1")
        _check("mem_gb", self.mem_gb, self.mem_gb is None or self.mem_gb > 0, "a number above 0, or null for no limit")

    @property
    def memory_bytes(self) -> int | None:
        """``mem_gb`` in bytes (a gigabyte has 10**9)."""
        return None if self.mem_gb is None else int(self.mem_gb * 1e9)

    def to_json(self) -> dict[str, Any]:
        """The mapping that stands in ``run.json``."""
        gpus = int(self.gpus) if self.gpus == int(self.gpus) else self.gpus
        return {"cpus": self.cpus, "gpus": gpus, "mem_gb": self.mem_gb, "nodes": self.nodes}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One attempt to run: a ticket that names it, what the worker is to do, and where its output goes.

    ``payload`` is handed to the worker's function; ``environment`` is set in the process before that.
    ``memory_bytes`` is how much memory of its own the process may have, ``threads`` how many threads numerical
    libraries may start in it; None for no limit.
    """

    ticket: int
    payload: Any
    output: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    memory_bytes: int | None = None
    threads: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The task's process is there. ``after`` is the task in whose place it was started, whose end is told next."""

    ticket: int
    pid: int
    after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The task's process is gone, and what it had started with it.

    ``exit_code`` and ``signal`` (a number) exclude each other; both None means that the process was lost with
    its parent. ``report`` is what the worker's function sent, empty when it did not come that far.
    ``memory_kills`` counts processes that the system killed for memory on this machine while the task ran.
    """

    ticket: int
    exit_code: int | None
    signal: int | None
    report: bytes = b""
    max_rss_mb: float | None = None
    memory_kills: int = 0


Event = Started | Ended


def signal_name(number: int | None) -> str | None:
    """``SIGSEGV`` for 11; None for None."""
    if number is None:
        return None
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
