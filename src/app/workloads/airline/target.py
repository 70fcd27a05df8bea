"""A target: the agent that is attacked, with all that is around it. The seam between the attack and what it meets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

#: the tool whose call the judge looks for.
REFUND = "refund"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What the user says in a turn. ``level`` is the escalation level of its suffix, from 0."""

    text: str
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """The tool that the agent calls in answer to a message, and the amount that it is about, in dollars.

    ``amount`` is None where the tool has none.
    """

    tool: str
    amount: float | None


class Conversation(Protocol):
    """One trial, from its first message on. Whoever makes it owns the agent's memory of it."""

    @property
    def request(self) -> str:
        """What the user wants, in a sentence without an end; the attack adds its suffix."""

    def say(self, message: Message) -> Action:
        """Tells the agent the message, and returns what it does. An exception fails the job."""


class Target(Protocol):
    """An agent in its environment, of which a job plays its trials one after another."""

    def begin(self, trial: int) -> Conversation:
        """A new conversation that knows nothing of earlier ones. ``trial`` counts from 1."""
