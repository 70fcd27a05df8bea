"""The arena: agents in a small economy are trained, then evaluated."""

from .config import ArenaConfig, validate
from .evaluation import evaluate
from .task import run
from .training import train

#: what the application calls before anything runs.
check = validate

__all__ = ["ArenaConfig", "check", "evaluate", "run", "train", "validate"]
