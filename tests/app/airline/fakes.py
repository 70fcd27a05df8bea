"""Targets of our own, for tests of what meets a target: scripted agents, and an adapter that REAL can be given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.workloads.airline import Action, Message, Settings


@dataclass
class ScriptedConversation:
    """Answers with the actions that it was given, one a turn, and keeps what it was told."""

    actions: Sequence[Action]
    request: str = "I want my money back"
    heard: list[Message] = field(default_factory=list)

    def say(self, message: Message) -> Action:
        self.heard.append(message)
        return self.actions[len(self.heard) - 1]


@dataclass
class ScriptedTarget:
    """Every trial has the same script."""

    actions: Sequence[Action]
    begun: list[ScriptedConversation] = field(default_factory=list)

    def begin(self, trial: int) -> ScriptedConversation:
        self.begun.append(ScriptedConversation(self.actions, request=f"request {trial}"))
        return self.begun[-1]


REFUSED = Action(tool="transfer_to_human_agents", amount=None)


def refund(amount: float) -> Action:
    return Action(tool="refund", amount=amount)


def make_target(settings: Settings) -> ScriptedTarget:
    """An adapter: refuses once, and then refunds 100 dollars more than the threshold plus the seed."""
    return ScriptedTarget([REFUSED, refund(settings.threshold + 100 + settings.seed)])


NO_FUNCTION = "adapter"


def make_fragile_target(settings: Settings) -> ScriptedTarget:
    """An adapter whose agent breaks down for seed 2: it has nothing to answer."""
    return ScriptedTarget([] if settings.seed == 2 else [refund(300)])
