"""The use case: plan, execute, record, finish; and take up again. Everything that Hydra's doors and the CLI call."""

from runyard.sweep.closing import reference
from runyard.sweep.controller import Hooks, Outcomes
from runyard.sweep.display import Display, make_display
from runyard.sweep.execution import Application, Execution, open_execution
from runyard.sweep.finish import finish, index, sweep_state
from runyard.sweep.opening import OpenSweep, new_sweep_id
from runyard.sweep.planner import PlannedJob, PlannedJobs, planned_job
from runyard.sweep.plugins import Launch, LocalLaunch, not_submitted, plain_exit, run_application, run_sweep
from runyard.sweep.points import SweeperSettings, settings_from
from runyard.sweep.recorder import begin_job, begin_run, begin_sweep, end_job, end_run, end_sweep
from runyard.sweep.resuming import Selection, launcher_changes, main, parse_jobs, resume_command, thawed
from runyard.sweep.returns import ReturnedFiles
from runyard.sweep.running import JobFacts, brief
from runyard.sweep.settings import LAUNCHER_KEYS, LauncherSettings, RecorderSettings, launcher_settings
from runyard.sweep.snapshot import Submission, thaw
from runyard.sweep.status import SweepStatus, cancel, collect, status
from runyard.sweep.stop import StopSignal
from runyard.sweep.view import BestSoFar, Progress, RunningJob, eta_seconds
from runyard.sweep.worker import JobPayload

__all__ = [
    "LAUNCHER_KEYS",
    "Application",
    "BestSoFar",
    "Display",
    "Execution",
    "Hooks",
    "JobFacts",
    "JobPayload",
    "Launch",
    "LauncherSettings",
    "LocalLaunch",
    "OpenSweep",
    "Outcomes",
    "PlannedJob",
    "PlannedJobs",
    "Progress",
    "RecorderSettings",
    "ReturnedFiles",
    "RunningJob",
    "Selection",
    "StopSignal",
    "Submission",
    "SweepStatus",
    "SweeperSettings",
    "begin_job",
    "begin_run",
    "begin_sweep",
    "brief",
    "cancel",
    "collect",
    "end_job",
    "end_run",
    "end_sweep",
    "eta_seconds",
    "finish",
    "index",
    "launcher_changes",
    "launcher_settings",
    "main",
    "make_display",
    "new_sweep_id",
    "not_submitted",
    "open_execution",
    "parse_jobs",
    "plain_exit",
    "planned_job",
    "reference",
    "resume_command",
    "run_application",
    "run_sweep",
    "settings_from",
    "status",
    "sweep_state",
    "thaw",
    "thawed",
]
