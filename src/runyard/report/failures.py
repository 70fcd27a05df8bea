"""Jobs that did not complete, grouped by cause. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from runyard.base import State
from runyard.record import RunRecord

_WAITING = frozenset({State.PENDING, State.RUNNING, State.CANCELLED, State.COMPLETED})
_MESSAGE_WIDTH = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Jobs that ended alike: the state, what is known of why (of the first of them), their numbers."""

    state: State
    why: str
    jobs: tuple[int, ...]


def causes_of(runs: Sequence[RunRecord]) -> list[Cause]:
    """The causes, that of most jobs first.

    Jobs share a cause when their last attempts have the same state, kind of error, signal or exit code, and
    messages that differ in numbers only. PENDING, RUNNING and CANCELLED jobs have none.
    """
    alike: dict[tuple[State, str], list[RunRecord]] = {}
    for run in runs:
        if run.state not in _WAITING:
            alike.setdefault((run.state, re.sub(r"\d+(\.\d+)?", "#", _why(run))), []).append(run)
    causes = [
        Cause(state=group[0].state, why=_why(group[0]), jobs=tuple(run.job for run in group))
        for group in alike.values()
    ]
    return sorted(causes, key=lambda cause: (-len(cause.jobs), cause.jobs))


def _why(run: RunRecord) -> str:
    """``ValueError: first line of the message``, ``signal SIGSEGV``, ``exit code 4``, or nothing."""
    if not run.attempts:
        return ""
    last = run.attempts[-1]
    if last.error is not None:
        first_line = (str(last.error.message).strip().splitlines() or [""])[0]
        text = f"{last.error.type}: {first_line}" if first_line else last.error.type
        return text if len(text) <= _MESSAGE_WIDTH else text[: _MESSAGE_WIDTH - 1] + "…"
    if last.signal:
        return f"signal {last.signal}"
    return f"exit code {last.exit_code}" if last.exit_code is not None else ""
