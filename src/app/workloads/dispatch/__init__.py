"""Dynamic delivery pooling: which of the orders at hand share a courier, and how close that comes to hindsight.

``run`` loads numpy, scipy and pandas when it is first asked for; the configuration does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.workloads.dispatch.config import DispatchConfig, validate

if TYPE_CHECKING:
    from app.workloads.dispatch.preflight import preflight as check
    from app.workloads.dispatch.task import run

__all__ = ["DispatchConfig", "check", "run", "validate"]


def __getattr__(name: str) -> Any:
    if name == "run":
        from app.workloads.dispatch.task import run

        return run
    if name == "check":
        from app.workloads.dispatch.preflight import preflight

        return preflight
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
