"""What becomes of finished runs: promote, leaderboard, archive, restore, remove; tags and notes."""

from runyard.lifecycle.annotating import Annotation, note_sweep, tag_sweep
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
from runyard.lifecycle.experiments import (
    Experiment,
    Report,
    files_to_keep,
    find_experiments,
    judge_experiment,
    read_experiment,
)
from runyard.lifecycle.leaderboard import (
    LABELS,
    Added,
    Leaderboard,
    LeaderboardEntry,
    add_to_leaderboard,
    entry_of,
    read_leaderboard,
    sorted_rows,
)
from runyard.lifecycle.promoting import Promotion, promote
from runyard.lifecycle.removing import Removal, plan_removal, remove
from runyard.lifecycle.shelving import (
    NotGoodEnough,
    PromotedConfig,
    add_experiment,
    archive_experiment,
    checked_report,
    production_name,
    promote_experiment,
)
from runyard.lifecycle.status import Judgement, Limits, Status, judge_sweep, status_of
from runyard.lifecycle.subject import Subject, subject_of, subjects_of

__all__ = [
    "LABELS",
    "Added",
    "Annotation",
    "Candidate",
    "Champion",
    "Choice",
    "Dropped",
    "Experiment",
    "Judgement",
    "Leaderboard",
    "LeaderboardEntry",
    "Limits",
    "Metadata",
    "Move",
    "NotGoodEnough",
    "PromotedConfig",
    "Promotion",
    "Removal",
    "Report",
    "Status",
    "Subject",
    "add_experiment",
    "add_to_leaderboard",
    "archive_experiment",
    "archive_sweep",
    "candidates",
    "checked_report",
    "choose",
    "default_archive",
    "entry_of",
    "files_to_keep",
    "find_experiments",
    "judge_experiment",
    "judge_sweep",
    "note_sweep",
    "parse_age",
    "plan_removal",
    "production_name",
    "promote",
    "promote_experiment",
    "read_champions",
    "read_experiment",
    "read_leaderboard",
    "read_metadata",
    "remove",
    "restore_sweep",
    "sorted_rows",
    "status_of",
    "subject_of",
    "subjects_of",
    "tag_sweep",
]
