"""Runs tasks somewhere. Knows neither sweeps nor run files."""

from runyard.execute.devices import FOLDER_VARIABLE, Devices
from runyard.execute.local import (
    ForkPool,
    InlinePool,
    Program,
    Report,
    SpawnPool,
    Work,
    call_command,
    end_process,
    end_processes,
    fork_obstacles,
    inherited,
)
from runyard.execute.machine import usable_cpus, usable_gpus
from runyard.execute.outcome import Verdict, judge
from runyard.execute.policy import RetryPolicy, StopRule, check_causes
from runyard.execute.pool import Pool
from runyard.execute.slots import Lease, Slots
from runyard.execute.task import Ended, Event, Resources, Started, Task, signal_name

__all__ = [
    "FOLDER_VARIABLE",
    "Devices",
    "Ended",
    "Event",
    "ForkPool",
    "InlinePool",
    "Lease",
    "Pool",
    "Program",
    "Report",
    "Resources",
    "RetryPolicy",
    "Slots",
    "SpawnPool",
    "Started",
    "StopRule",
    "Task",
    "Verdict",
    "Work",
    "call_command",
    "check_causes",
    "end_process",
    "end_processes",
    "fork_obstacles",
    "inherited",
    "judge",
    "signal_name",
    "usable_cpus",
    "usable_gpus",
]
