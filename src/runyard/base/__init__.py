"""What every room stands on: errors, atomic files, canonical JSON, the clock, job states. Knows no other room."""

from runyard.base.canonical import canonical_json, canonical_key, digest, finite_json, from_finite_json
from runyard.base.clock import from_iso, iso, utc_now
from runyard.base.dotted import function_of, object_of
from runyard.base.errors import (
    InterruptedSweep,
    JobFailed,
    RecordError,
    RunyardError,
    StorageError,
    SweepBusy,
    UsageError,
    unknown_name,
)
from runyard.base.files import (
    append_text,
    compact_json,
    hash_file,
    read_json,
    read_tail,
    swap_symlink,
    write_all,
    write_bytes,
    write_json,
    write_text,
)
from runyard.base.quoting import quoted
from runyard.base.readable import readable
from runyard.base.states import FAILURES, MOVES, STATES, TERMINAL, State, SweepState, move
from runyard.base.ties import adopt_orphans, die_with_parent

__all__ = [
    "FAILURES",
    "MOVES",
    "STATES",
    "TERMINAL",
    "InterruptedSweep",
    "JobFailed",
    "RecordError",
    "RunyardError",
    "State",
    "StorageError",
    "SweepBusy",
    "SweepState",
    "UsageError",
    "adopt_orphans",
    "append_text",
    "canonical_json",
    "canonical_key",
    "compact_json",
    "die_with_parent",
    "digest",
    "finite_json",
    "from_finite_json",
    "from_iso",
    "function_of",
    "hash_file",
    "iso",
    "move",
    "object_of",
    "quoted",
    "read_json",
    "read_tail",
    "readable",
    "swap_symlink",
    "unknown_name",
    "utc_now",
    "write_all",
    "write_bytes",
    "write_json",
    "write_text",
]
