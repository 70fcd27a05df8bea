"""The front for Python: sweeps and runs started from notebooks, scripts and the service, in processes of their own."""

from runyard.front.handle import HandleStatus, SweepHandle, attach
from runyard.front.quoting import overrides_of, quoted
from runyard.front.resuming import start_resume
from runyard.front.starting import Started, start_application
from runyard.front.sweeping import sweep

__all__ = [
    "HandleStatus",
    "Started",
    "SweepHandle",
    "attach",
    "overrides_of",
    "quoted",
    "start_application",
    "start_resume",
    "sweep",
]
