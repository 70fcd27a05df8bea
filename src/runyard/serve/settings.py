"""Settings of the server, checked once. Knows neither HTTP nor sweeps."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runyard.base import UsageError
from runyard.registry import DEFAULT_ROOTS
from runyard.serve.fields import Fields

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_HOST = re.compile(r"[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:]+\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """What a server serves, to whom, and what it lets them do.

    ``app`` is the module or script that sweeps are started of; None: they are only looked at. ``roots`` hold sweeps
    and single runs; nothing outside of them is shown. ``token`` None: nobody is asked for one. ``allow``: patterns of
    override keys that are refused by default (``hydra.launcher.*``). ``most_jobs``: of a sweep; ``most_running``:
    sweeps at work at a time; ``most_body_bytes``: of a request.
    """

    app: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    roots: tuple[Path, ...] = DEFAULT_ROOTS
    cwd: Path = field(default_factory=Path.cwd)
    token: str | None = None
    hosts: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    fields: Fields = field(default_factory=Fields)
    most_jobs: int = 10_000
    most_running: int = 4
    most_body_bytes: int = 64 * 1024

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise UsageError(f"{self.port} is no port", where="--port", todo="give a number from 0 to 65535")
        limits: Mapping[str, int] = {
            "--max-jobs": self.most_jobs,
            "--max-running": self.most_running,
            "--max-body-kb": self.most_body_bytes,
        }
        for name, value in limits.items():
            if value < 1:
                raise UsageError(f"{value} is too few", where=name, todo="give at least 1")
        for name in self.hosts:
            if not _HOST.fullmatch(name):
                raise UsageError(f"{name!r} is no name of a host", where="--allow-host", todo="give it without a port")
        if self.token is None and not is_loopback(self.host):
            raise UsageError(
                f"everybody who reaches {self.host} could start programs here without a token",
                where="--no-token",
                todo="listen on 127.0.0.1, or leave --no-token out",
            )

    @property
    def host_names(self) -> frozenset[str]:
        """What the Host header of a request may name, in lower case and without a port."""
        names = {*LOOPBACK_NAMES, *(name.lower() for name in self.hosts)}
        if not _is_any(self.host):
            names.add(f"[{self.host}]".lower() if ":" in self.host else self.host.lower())
        return frozenset(names)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_any(host: str) -> bool:
    """Whether it stands for every address of the machine, and so names none."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
