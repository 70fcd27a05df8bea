"""An SQLite index over all sweeps below a root, ``latest``, and index.csv. Derived: the files are the truth."""

from runyard.registry.database import Condition, Registry
from runyard.registry.index import add_to_index, point_latest
from runyard.registry.listing import differences, list_sweeps, unreadable_sweeps
from runyard.registry.plainhydra import PlainJob, PlainSweep, find_plain_sweeps, foreign_records, read_plain_sweep
from runyard.registry.reference import find_sweep
from runyard.registry.roots import DEFAULT_ROOTS, root_of
from runyard.registry.search import FoundRuns, check_names, find_runs, load_runs, names_in, runs_frame

__all__ = [
    "DEFAULT_ROOTS",
    "Condition",
    "FoundRuns",
    "PlainJob",
    "PlainSweep",
    "Registry",
    "add_to_index",
    "check_names",
    "differences",
    "find_plain_sweeps",
    "find_runs",
    "find_sweep",
    "foreign_records",
    "list_sweeps",
    "load_runs",
    "names_in",
    "point_latest",
    "read_plain_sweep",
    "root_of",
    "runs_frame",
    "unreadable_sweeps",
]
