"""The use case: plan, execute, record, finish; and take up again. Everything that Hydra's doors and the CLI call."""

from runyard.orchestrate.beginning import open_execution
from runyard.orchestrate.ending import finish, index, reference, sweep_state
from runyard.orchestrate.execution import Execution
from runyard.orchestrate.jobs import Hooks, JobFacts, JobPayload, Outcomes, ReturnedFiles, StopSignal, brief
from runyard.orchestrate.opening import (
    ANNOUNCE_FILE,
    LAUNCHER_KEYS,
    OUTPUT_NAME,
    Application,
    LauncherSettings,
    OpenSweep,
    RecorderSettings,
    Submission,
    launcher_settings,
    new_sweep_id,
    thaw,
)
from runyard.orchestrate.planning import MOST_JOBS, PlannedJob, PlannedJobs, SweeperSettings, planned_job, settings_from
from runyard.orchestrate.plugins import Launch, LocalLaunch, not_submitted, plain_exit, run_application, run_sweep
from runyard.orchestrate.recorder import begin_job, begin_run, begin_sweep, end_job, end_run, end_sweep
from runyard.orchestrate.resuming import Selection, launcher_changes, main, parse_jobs, resume_command, thawed
from runyard.orchestrate.showing import BestSoFar, Display, Progress, RunningJob, eta_seconds, make_display
from runyard.orchestrate.status import SweepStatus, cancel, collect, status

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
