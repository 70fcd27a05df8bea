"""Runyard: a Hydra multirun experiment launcher that never loses a result.

For tasks: ``table``, ``run_stage``, ``shared`` and ``current``. Everything else is turned on by one word on the
command line, ``+runyard=local``, and read with the ``runyard`` command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runyard.base import JobFailed, RecordError, RunyardError, State, StorageError, SweepBusy, UsageError
from runyard.pipeline import run_stage, shared
from runyard.record import ActiveRun, current, table

if TYPE_CHECKING:
    from runyard.sweep import run_application

__version__ = "0.1.0"

__all__ = [
    "ActiveRun",
    "JobFailed",
    "RecordError",
    "RunyardError",
    "State",
    "StorageError",
    "SweepBusy",
    "UsageError",
    "current",
    "run_application",
    "run_stage",
    "shared",
    "table",
]


def __getattr__(name: str) -> Any:
    if name == "run_application":  # needs Hydra, which a task's own imports may not
        from runyard.sweep import run_application

        return run_application
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
