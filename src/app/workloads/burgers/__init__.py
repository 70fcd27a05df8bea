"""Burgers: a latent operator learns to move solutions of the 1-D Burgers equation on in time, and is put to gates."""

from .config import BurgersConfig, validate
from .data import solutions
from .evaluation import evaluate
from .gates import judge
from .task import run
from .training import train

#: what the application calls before anything runs.
check = validate

__all__ = ["BurgersConfig", "check", "evaluate", "judge", "run", "solutions", "train", "validate"]
