"""Jobs on this machine: each in a process forked from one that has the application's imports, or in a fresh
interpreter, or in the controller's own process.
"""

from runyard.execute.local.child import Report, Work, end_process
from runyard.execute.local.fork import ForkPool
from runyard.execute.local.guard import end_processes
from runyard.execute.local.inline import InlinePool
from runyard.execute.local.obstacles import fork_obstacles
from runyard.execute.local.spawn import Program, SpawnPool, call_command, inherited

__all__ = [
    "ForkPool",
    "InlinePool",
    "Program",
    "Report",
    "SpawnPool",
    "Work",
    "call_command",
    "end_process",
    "end_processes",
    "fork_obstacles",
    "inherited",
]
