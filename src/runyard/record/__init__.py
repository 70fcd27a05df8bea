"""What is on disk: names, records, journal, tables, provenance. Knows nothing of how jobs are run or planned."""

from runyard.record.context import ActiveRun, activate, current, current_or_none, set_active, table
from runyard.record.entry import Entry, current_entry
from runyard.record.journal import Journal, Ledger, read_events, replay
from runyard.record.layout import (
    LATEST,
    REGISTRY_FOLDER,
    RUN_FILE,
    SWEEP_FILE,
    RootPaths,
    RunPaths,
    StagePaths,
    SweepPaths,
)
from runyard.record.lock import ControllerLock, controller_identity, is_held, read_holder
from runyard.record.metrics import RETURN_VALUE, frames_of, metrics_of
from runyard.record.plan import OWN_COLUMNS, PlanRow, read_plan_table, write_plan
from runyard.record.provenance import GitState, gather, git_sha, git_state, gpu_names, host, packages, save_patch
from runyard.record.redact import REDACTED, is_secret, redact, redact_command, redact_override
from runyard.record.run import Attempt, ErrorInfo, RunRecord, StageInfo, read_run, write_run
from runyard.record.runs import count_states, find_run_dirs, is_alive, read_plan, read_runs
from runyard.record.sweep import SweepRecord, read_sweep, recover_sweep, write_sweep
from runyard.record.table import Table, open_table, read_rows, table_files
from runyard.record.words import label_of, one_line, reason_of, shown

__all__ = [
    "LATEST",
    "OWN_COLUMNS",
    "REDACTED",
    "REGISTRY_FOLDER",
    "RETURN_VALUE",
    "RUN_FILE",
    "SWEEP_FILE",
    "ActiveRun",
    "Attempt",
    "ControllerLock",
    "Entry",
    "ErrorInfo",
    "GitState",
    "Journal",
    "Ledger",
    "PlanRow",
    "RootPaths",
    "RunPaths",
    "RunRecord",
    "StageInfo",
    "StagePaths",
    "SweepPaths",
    "SweepRecord",
    "Table",
    "activate",
    "controller_identity",
    "count_states",
    "current",
    "current_entry",
    "current_or_none",
    "find_run_dirs",
    "frames_of",
    "gather",
    "git_sha",
    "git_state",
    "gpu_names",
    "host",
    "is_alive",
    "is_held",
    "is_secret",
    "label_of",
    "metrics_of",
    "one_line",
    "open_table",
    "packages",
    "read_events",
    "read_holder",
    "read_plan",
    "read_plan_table",
    "read_rows",
    "read_run",
    "read_runs",
    "read_sweep",
    "reason_of",
    "recover_sweep",
    "redact",
    "redact_command",
    "redact_override",
    "replay",
    "save_patch",
    "set_active",
    "shown",
    "table",
    "table_files",
    "write_plan",
    "write_run",
    "write_sweep",
]
