"""The contest: lineups for a night of basketball, and what they would win against a field of others.

``run`` and ``check`` load numpy and scipy when they are first asked for; the configuration does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .config import ContestConfig, validate

if TYPE_CHECKING:
    from .task import check, run

__all__ = ["ContestConfig", "check", "run", "validate"]


def __getattr__(name: str) -> Any:
    if name in ("check", "run"):
        from . import task

        return getattr(task, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
