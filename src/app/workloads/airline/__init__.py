"""The airline: red-team trials of an agent that is asked for refunds, and how often the attack succeeds."""

from .attack import Settings, play
from .config import AirlineConfig, validate
from .target import Action, Conversation, Message, Target
from .task import check, run

__all__ = [
    "Action",
    "AirlineConfig",
    "Conversation",
    "Message",
    "Settings",
    "Target",
    "check",
    "play",
    "run",
    "validate",
]
