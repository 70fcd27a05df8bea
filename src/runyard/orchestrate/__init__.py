"""The use case: plan, execute, record, finish; and take up again. Everything that Hydra's doors and the CLI call."""

from runyard.orchestrate.announcing import ANNOUNCE_FILE, OUTPUT_NAME
from runyard.orchestrate.ceiling import MOST_JOBS
from runyard.orchestrate.closing import reference
from runyard.orchestrate.controller import Hooks, Outcomes
from runyard.orchestrate.display import Display, make_display
from runyard.orchestrate.execution import Application, Execution, open_execution
from runyard.orchestrate.finish import finish, index, sweep_state
from runyard.orchestrate.opening import OpenSweep, new_sweep_id
from runyard.orchestrate.planner import PlannedJob, PlannedJobs, planned_job
from runyard.orchestrate.plugins import Launch, LocalLaunch, not_submitted, plain_exit, run_application, run_sweep
from runyard.orchestrate.points import SweeperSettings, settings_from
from runyard.orchestrate.recorder import begin_job, begin_run, begin_sweep, end_job, end_run, end_sweep
from runyard.orchestrate.resuming import Selection, launcher_changes, main, parse_jobs, resume_command, thawed
from runyard.orchestrate.returns import ReturnedFiles
from runyard.orchestrate.running import JobFacts, brief
from runyard.orchestrate.settings import LAUNCHER_KEYS, LauncherSettings, RecorderSettings, launcher_settings
from runyard.orchestrate.snapshot import Submission, thaw
from runyard.orchestrate.status import SweepStatus, cancel, collect, status
from runyard.orchestrate.stop import StopSignal
from runyard.orchestrate.view import BestSoFar, Progress, RunningJob, eta_seconds
from runyard.orchestrate.worker import JobPayload

__all__ = [
    "ANNOUNCE_FILE",
    "LAUNCHER_KEYS",
    "MOST_JOBS",
    "OUTPUT_NAME",
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
