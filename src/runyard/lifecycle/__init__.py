"""What becomes of finished runs: promote, leaderboard, archive, restore, remove; tags and notes."""

from runyard.lifecycle.archiving import (
    Dropped,
    Metadata,
    Move,
    archive_sweep,
    default_archive,
    read_metadata,
    restore_sweep,
)
from runyard.lifecycle.champions import Champion, read_champions
from runyard.lifecycle.choosing import Candidate, Choice, candidates, choose, parse_age
from runyard.lifecycle.promoting import Promotion, promote
from runyard.lifecycle.removing import Removal, plan_removal, remove
from runyard.lifecycle.status import Judgement, Limits, Status, judge_sweep, status_of
from runyard.lifecycle.subject import Subject, subject_of, subjects_of

__all__ = [
    "Candidate",
    "Champion",
    "Choice",
    "Dropped",
    "Judgement",
    "Limits",
    "Metadata",
    "Move",
    "Promotion",
    "Removal",
    "Status",
    "Subject",
    "archive_sweep",
    "candidates",
    "choose",
    "default_archive",
    "judge_sweep",
    "parse_age",
    "plan_removal",
    "promote",
    "read_champions",
    "read_metadata",
    "remove",
    "restore_sweep",
    "status_of",
    "subject_of",
    "subjects_of",
]
