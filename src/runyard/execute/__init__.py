"""Runs tasks somewhere. Knows neither sweeps nor run files."""

from runyard.execute.local import LocalPool, Report, end_processes, threads_at_fork
from runyard.execute.machine import usable_cpus, usable_gpus
from runyard.execute.outcome import Verdict, judge
from runyard.execute.policy import RetryPolicy, StopRule, check_causes
from runyard.execute.slots import Lease, Slots
from runyard.execute.task import Ended, Event, Resources, Started, Task, signal_name

__all__ = [
    "Ended",
    "Event",
    "Lease",
    "LocalPool",
    "Report",
    "Resources",
    "RetryPolicy",
    "Slots",
    "Started",
    "StopRule",
    "Task",
    "Verdict",
    "check_causes",
    "end_processes",
    "judge",
    "signal_name",
    "threads_at_fork",
    "usable_cpus",
    "usable_gpus",
]
