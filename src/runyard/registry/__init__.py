"""An SQLite index over all sweeps below a root, ``latest``, and index.csv. Derived: the files are the truth."""

from runyard.registry.database import Condition, Registry
from runyard.registry.index import add_to_index, point_latest
from runyard.registry.listing import differences, list_sweeps, unreadable_sweeps
from runyard.registry.reference import find_sweep

__all__ = [
    "Condition",
    "Registry",
    "add_to_index",
    "differences",
    "find_sweep",
    "list_sweeps",
    "point_latest",
    "unreadable_sweeps",
]
