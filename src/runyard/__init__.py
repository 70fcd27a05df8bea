"""Runyard: a Hydra multirun experiment launcher that never loses a result.

For tasks: ``table``, ``run_stages``, ``run_stage``, ``shared``, ``checkpoint`` and ``current``. For notebooks:
``sweep``, ``attach``, ``load`` and ``quoted``. Everything else is turned on by one word on the command line,
``+runyard=local``, and read with the ``runyard`` command.

A name is loaded when it is first used: ``import runyard`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runyard.analyze import Results, load
    from runyard.base import JobFailed, RecordError, RunyardError, State, StorageError, SweepBusy, UsageError, quoted
    from runyard.front import SweepHandle, attach, sweep
    from runyard.orchestrate import run_application
    from runyard.pipeline import Stage, StageContext, StageResult, checkpoint, run_stage, run_stages, shared
    from runyard.record import ActiveRun, current, table

__version__ = "0.1.0"

__all__ = [
    "ActiveRun",
    "JobFailed",
    "RecordError",
    "Results",
    "RunyardError",
    "Stage",
    "StageContext",
    "StageResult",
    "State",
    "StorageError",
    "SweepBusy",
    "SweepHandle",
    "UsageError",
    "attach",
    "checkpoint",
    "current",
    "load",
    "quoted",
    "run_application",
    "run_stage",
    "run_stages",
    "shared",
    "sweep",
    "table",
]

_ROOMS = {
    "analyze": ("Results", "load"),  # loads pandas
    "base": ("JobFailed", "RecordError", "RunyardError", "State", "StorageError", "SweepBusy", "UsageError", "quoted"),
    "pipeline": ("Stage", "StageContext", "StageResult", "checkpoint", "run_stage", "run_stages", "shared"),
    "record": ("ActiveRun", "current", "table"),
    "front": ("SweepHandle", "attach", "sweep"),  # needs Hydra
    "orchestrate": ("run_application",),  # needs Hydra, which a task's own imports may not
}

if not TYPE_CHECKING:  # a type checker knows the names above, and is to find others missing

    def __getattr__(name: str) -> object:
        from importlib import import_module

        for room, names in _ROOMS.items():
            if name in names:
                value = globals()[name] = getattr(import_module(f"{__name__}.{room}"), name)
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
