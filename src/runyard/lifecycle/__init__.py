"""What becomes of finished runs: promote, leaderboard, archive, restore, remove; tags and notes."""

from runyard.lifecycle.champions import Champion, read_champions
from runyard.lifecycle.promoting import Promotion, promote
from runyard.lifecycle.subject import Subject, subject_of, subjects_of

__all__ = [
    "Champion",
    "Promotion",
    "Subject",
    "promote",
    "read_champions",
    "subject_of",
    "subjects_of",
]
