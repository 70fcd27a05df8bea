"""A sweep ends: its record, its tables and figures, its places in the registry and the index, and the last words to
the user. Reads everything back from disk; libraries for tables and figures are loaded only when they are called for.
"""

from runyard.orchestrate.ending.apart import end_apart
from runyard.orchestrate.ending.closing import reference
from runyard.orchestrate.ending.finish import finish, index, make_files, sweep_state

__all__ = [
    "end_apart",
    "finish",
    "index",
    "make_files",
    "reference",
    "sweep_state",
]
