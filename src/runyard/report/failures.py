"""Jobs that did not complete, grouped by cause. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runyard.analyze import LoadedSweep, cell_text
from runyard.base import State
from runyard.record import RunRecord

_WAITING = frozenset({State.PENDING, State.RUNNING, State.CANCELLED, State.COMPLETED})
_MESSAGE_WIDTH = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Jobs that ended alike: the state, what is known of why (of the first of them), their numbers, its folder."""

    state: State
    why: str
    jobs: tuple[int, ...]
    run_dir: str


def causes_of(loaded: LoadedSweep) -> list[Cause]:
    """The causes, that of most jobs first.

    Jobs share a cause when their last attempts have the same state, kind of error, signal or exit code, and
    messages that differ in numbers only. PENDING, RUNNING and CANCELLED jobs have none.
    """
    alike: dict[tuple[State, str], list[int]] = {}
    for position, run in enumerate(loaded.runs):
        if run.state not in _WAITING:
            alike.setdefault((run.state, re.sub(r"\d+(\.\d+)?", "#", _why(run))), []).append(position)
    causes = [_cause(loaded, positions) for positions in alike.values()]
    return sorted(causes, key=lambda cause: (-len(cause.jobs), cause.jobs))


def _cause(loaded: LoadedSweep, positions: list[int]) -> Cause:
    first = loaded.runs[positions[0]]
    return Cause(
        state=first.state,
        why=_why(first),
        jobs=tuple(loaded.runs[position].job for position in positions),
        run_dir=cell_text(loaded.table.columns["run_dir"][positions[0]]),
    )


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
