"""The arena: agents in a small economy are trained, then evaluated."""

from .config import ArenaConfig, validate
from .evaluation import evaluate
from .task import run
from .training import train

__all__ = ["ArenaConfig", "evaluate", "run", "train", "validate"]
