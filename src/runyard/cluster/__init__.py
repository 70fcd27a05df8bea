"""The use case on a cluster: submit a sweep, work on it from many machines, and see how it stands from any."""

from runyard.cluster.collecting import collect_cluster
from runyard.cluster.control import (
    cancel_cluster,
    cancel_jobs,
    changes_of,
    is_on_cluster,
    local_command,
    resubmit,
)
from runyard.cluster.frozen import frozen_path
from runyard.cluster.launch import SlurmLaunch, submitted_lines
from runyard.cluster.looking import Looks
from runyard.cluster.reproducing import Reproduction, compared, reproduce_command
from runyard.cluster.standing import Observer, Standing, WorkerStanding
from runyard.cluster.waiting import wait_for

__all__ = [
    "Looks",
    "Observer",
    "Reproduction",
    "SlurmLaunch",
    "Standing",
    "WorkerStanding",
    "cancel_cluster",
    "cancel_jobs",
    "changes_of",
    "collect_cluster",
    "compared",
    "frozen_path",
    "is_on_cluster",
    "local_command",
    "reproduce_command",
    "resubmit",
    "submitted_lines",
    "wait_for",
]
