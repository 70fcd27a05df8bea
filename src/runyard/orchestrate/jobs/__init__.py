"""Jobs are run. On the controller's side: what each process is told, how jobs are kept apart, the loop that starts
them and records their ends, and what tells it to stop. In a job's own process: the worker, which keeps the record
around the task. Takes jobs from whatever feed it is given, and writes no file of the sweep but the journal.
"""

from runyard.orchestrate.jobs.controller import Controller
from runyard.orchestrate.jobs.feed import Feed
from runyard.orchestrate.jobs.isolation import Isolation, check_isolation, choose_isolation, make_pool
from runyard.orchestrate.jobs.orders import Orders
from runyard.orchestrate.jobs.outcomes import Hooks, Outcomes
from runyard.orchestrate.jobs.readying import ready_worker
from runyard.orchestrate.jobs.returns import JobReturns, Returned, ReturnedFiles
from runyard.orchestrate.jobs.running import JobFacts, RunningJob, brief
from runyard.orchestrate.jobs.stop import StopSignal
from runyard.orchestrate.jobs.worker import JobPayload, Worker

__all__ = [
    "Controller",
    "Feed",
    "Hooks",
    "Isolation",
    "JobFacts",
    "JobPayload",
    "JobReturns",
    "Orders",
    "Outcomes",
    "Returned",
    "ReturnedFiles",
    "RunningJob",
    "StopSignal",
    "Worker",
    "brief",
    "check_isolation",
    "choose_isolation",
    "make_pool",
    "ready_worker",
]
