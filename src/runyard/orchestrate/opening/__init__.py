"""A sweep, or a single run, is opened: what the user has set is read and checked, a directory is claimed, the first
record written, and what was submitted is frozen. Knows of a job no more than the config it may have; what the jobs
are is not its affair.
"""

from runyard.orchestrate.opening.announcing import ANNOUNCE_FILE, OUTPUT_NAME
from runyard.orchestrate.opening.application import Application
from runyard.orchestrate.opening.config import (
    OUR_LAUNCHERS,
    absolute,
    finisher,
    gate_rules,
    key_of,
    launcher_name,
    plain_params,
    recorder_settings,
    seed_of,
    swept_names,
    task_overrides,
    validator,
    without_hydra,
)
from runyard.orchestrate.opening.settings import LAUNCHER_KEYS, LauncherSettings, RecorderSettings, launcher_settings
from runyard.orchestrate.opening.snapshot import ComposedFile, PointsFile, Submission, freeze, submission_of, thaw
from runyard.orchestrate.opening.sweep import OpenSweep, adopt, new_sweep_id, open_sweep, opened_for, provenance_now

__all__ = [
    "ANNOUNCE_FILE",
    "LAUNCHER_KEYS",
    "OUR_LAUNCHERS",
    "OUTPUT_NAME",
    "Application",
    "ComposedFile",
    "LauncherSettings",
    "OpenSweep",
    "PointsFile",
    "RecorderSettings",
    "Submission",
    "absolute",
    "adopt",
    "finisher",
    "freeze",
    "gate_rules",
    "key_of",
    "launcher_name",
    "launcher_settings",
    "new_sweep_id",
    "open_sweep",
    "opened_for",
    "plain_params",
    "provenance_now",
    "recorder_settings",
    "seed_of",
    "submission_of",
    "swept_names",
    "task_overrides",
    "thaw",
    "validator",
    "without_hydra",
]
