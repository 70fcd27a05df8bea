"""Jobs on this machine, each in a process forked from one that has the application's imports."""

from runyard.execute.local.child import Report, Work
from runyard.execute.local.guard import end_processes
from runyard.execute.local.pool import LocalPool, threads_at_fork

__all__ = ["LocalPool", "Report", "Work", "end_processes", "threads_at_fork"]
