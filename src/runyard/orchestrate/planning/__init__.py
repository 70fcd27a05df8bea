"""From settings and overrides to planned jobs: which points there are, what each asks for, what is expected of it
from what earlier sweeps have left, and the plan file that says so. Starts nothing.
"""

from runyard.orchestrate.planning.ceiling import MOST_JOBS, below_ceiling
from runyard.orchestrate.planning.feed import PlanFeed
from runyard.orchestrate.planning.forecast import Forecaster
from runyard.orchestrate.planning.past import Past
from runyard.orchestrate.planning.planfile import check_plan_file, restore_plan_file
from runyard.orchestrate.planning.planner import PlannedJob, PlannedJobs, Planner, planned_job, submit, typed_params
from runyard.orchestrate.planning.points import SweeperSettings, points_of, settings_from, sweeper_settings
from runyard.orchestrate.planning.resources import JobResources, slots_of
from runyard.orchestrate.planning.reuse import Reuse

__all__ = [
    "MOST_JOBS",
    "Forecaster",
    "JobResources",
    "Past",
    "PlanFeed",
    "PlannedJob",
    "PlannedJobs",
    "Planner",
    "Reuse",
    "SweeperSettings",
    "below_ceiling",
    "check_plan_file",
    "planned_job",
    "points_of",
    "restore_plan_file",
    "settings_from",
    "slots_of",
    "submit",
    "sweeper_settings",
    "typed_params",
]
