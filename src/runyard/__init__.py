"""Runyard: a Hydra multirun experiment launcher that never loses a result.

For tasks: ``table``, ``run_stage``, ``shared`` and ``current``. Everything else is turned on by one word on the
command line, ``+runyard=local``, and read with the ``runyard`` command.
"""

from runyard.base import JobFailed, RecordError, RunyardError, State, SweepBusy, UsageError
from runyard.pipeline import run_stage, shared
from runyard.record import ActiveRun, current, table

__version__ = "0.1.0"

__all__ = [
    "ActiveRun",
    "JobFailed",
    "RecordError",
    "RunyardError",
    "State",
    "SweepBusy",
    "UsageError",
    "current",
    "run_stage",
    "shared",
    "table",
]
