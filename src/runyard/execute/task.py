"""What is run and what came of it. Data only."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a job asks for. ``cpus`` and ``gpus`` are whole devices; ``mem_gb`` None means not said."""

    cpus: int = 1
    gpus: int = 0
    mem_gb: float | None = None
    nodes: int = 1

    def to_json(self) -> dict[str, Any]:
        """The mapping that stands in ``run.json``."""
        return {"cpus": self.cpus, "gpus": self.gpus, "mem_gb": self.mem_gb, "nodes": self.nodes}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One attempt to run: a ticket that names it, what the worker is to do, and where its output goes.

    ``payload`` is handed to the worker's function; ``environment`` is set in the process before that.
    """

    ticket: int
    payload: Any
    output: Path
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The task's process is there."""

    ticket: int
    pid: int


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
