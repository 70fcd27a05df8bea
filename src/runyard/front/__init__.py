"""The front for Python: sweeps and runs started from notebooks, scripts and the service, in processes of their own."""

from runyard.front.functions import Kept, keep_function
from runyard.front.handle import HandleStatus, SweepHandle, attach
from runyard.front.quoting import overrides_of
from runyard.front.resuming import start_resume
from runyard.front.starting import Started, Target, start_application
from runyard.front.sweeping import sweep

__all__ = [
    "HandleStatus",
    "Kept",
    "Started",
    "SweepHandle",
    "Target",
    "attach",
    "keep_function",
    "overrides_of",
    "start_application",
    "start_resume",
    "sweep",
]
