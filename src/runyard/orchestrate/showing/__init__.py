"""What a user is shown of a sweep at work: as data, as lines, and on a terminal. Knows records of runs, and neither
sweeps nor what runs them; so a sweep on a cluster, whose jobs run elsewhere, is shown by the same.
"""

from runyard.orchestrate.showing.display import Display, make_display
from runyard.orchestrate.showing.view import BestSoFar, Progress, RunningJob, eta_seconds, rough

__all__ = [
    "BestSoFar",
    "Display",
    "Progress",
    "RunningJob",
    "eta_seconds",
    "make_display",
    "rough",
]
