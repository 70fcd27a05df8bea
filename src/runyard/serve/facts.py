"""What a server must know of its application before it starts anything: that it composes, and what it has chosen."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from runyard.base import UsageError

_LIMIT_S = 120.0
_SHOWN = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFacts:
    """``choices``: what the application's own defaults choose, by config group."""

    target: str
    choices: Mapping[str, str | None]

    @property
    def launcher(self) -> str | None:
        """Its own choice of the group ``runyard``; None when the record is off by default."""
        return self.choices.get("runyard")

    def choosing(self, group: str, name: str) -> list[str]:
        """The word that chooses of a group: added where the application's defaults do not have the group."""
        if self.choices.get(group) == name:
            return []
        return [f"{'' if group in self.choices else '+'}{group}={name}"]


def facts_of(target: str, cwd: Path) -> AppFacts:
    """Asks the application for what it chooses, by composing its config once.

    Args:
        target: the name of its module, or the path of its script, which ends in ``.py``.
        cwd: where it is started.

    Raises:
        UsageError: there is no such application, or its config cannot be composed; in its own words.
    """
    program = [target] if target.endswith(".py") else ["-m", target]
    argv = [sys.executable, *program, "--cfg", "hydra", "--package", "hydra.runtime.choices"]
    try:
        done = subprocess.run(
            argv, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as exc:
        raise UsageError(f"{target} has not shown its config within {_LIMIT_S:g} s", where="--app") from exc
    if done.returncode != 0:
        told = done.stderr.strip()[-_SHOWN:]
        raise UsageError(f"{target} does not show its config:\n{told}", where="--app", todo="name a Hydra application")
    return AppFacts(target=target, choices=_choices(target, done.stdout))


def _choices(target: str, printed: str) -> dict[str, str | None]:
    try:
        choices = yaml.safe_load(printed)
    except yaml.YAMLError:
        choices = None
    if not isinstance(choices, Mapping) or "hydra/launcher" not in choices:
        raise UsageError(
            f"{target} printed something else than its config", where="--app", todo="name a Hydra application"
        )
    return {str(group): None if name is None else str(name) for group, name in choices.items()}
