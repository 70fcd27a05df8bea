"""The use case: plan, execute, record, finish; and take up again. Everything that Hydra's doors and the CLI call."""

from runyard.sweep.execution import Application
from runyard.sweep.opening import new_sweep_id
from runyard.sweep.plugins import LocalLaunch, plain_exit, run_application, run_sweep
from runyard.sweep.points import SweeperSettings, settings_from
from runyard.sweep.recorder import begin_job, begin_run, begin_sweep, end_job, end_run, end_sweep
from runyard.sweep.resuming import Selection, parse_jobs, resume_command
from runyard.sweep.settings import LAUNCHER_KEYS
from runyard.sweep.status import SweepStatus, cancel, collect, status

__all__ = [
    "LAUNCHER_KEYS",
    "Application",
    "LocalLaunch",
    "Selection",
    "SweepStatus",
    "SweeperSettings",
    "begin_job",
    "begin_run",
    "begin_sweep",
    "cancel",
    "collect",
    "end_job",
    "end_run",
    "end_sweep",
    "new_sweep_id",
    "parse_jobs",
    "plain_exit",
    "resume_command",
    "run_application",
    "run_sweep",
    "settings_from",
    "status",
]
