"""What a page shows of the jobs: which columns, in which order, which part. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runyard.record import RunRecord

PAGE_ROWS = 100
_MOST_PARAMS, _MOST_METRICS = 8, 6
_FIRST = ("job", "state")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsView:
    """A page of the jobs. ``sort`` is a column's name, with ``-`` before it when the largest come first."""

    rows: Sequence[RunRecord]
    params: Sequence[str]
    metrics: Sequence[str]
    sort: str
    state: str
    page: int
    last: int
    total: int

    def sort_for(self, column: str) -> str:
        """What a click on a column's head asks for: the other direction when it is the one already."""
        return f"-{column}" if self.sort == column else column

    def direction(self, column: str) -> str:
        """``ascending``, ``descending`` or ``none``, as ``aria-sort`` has them."""
        return {column: "ascending", f"-{column}": "descending"}.get(self.sort, "none")


def jobs_view(runs: Sequence[RunRecord], *, sort: str = "job", state: str = "", page: int = 1) -> JobsView:
    """The part of the jobs that a page shows; an unknown column sorts by the number."""
    params, metrics = _columns(runs, "params", _MOST_PARAMS), _columns(runs, "metrics", _MOST_METRICS)
    column = sort.removeprefix("-")
    if column not in (*_FIRST, "seconds", *params, *metrics):
        sort = column = "job"
    chosen = [run for run in runs if not state or run.state.value == state]
    with_value = [run for run in chosen if _cell(run, column) is not None]
    ordered = sorted(with_value, key=lambda run: _key(_cell(run, column)), reverse=sort.startswith("-"))
    ordered += [run for run in chosen if _cell(run, column) is None]
    last = max(1, -(-len(ordered) // PAGE_ROWS))
    page = min(max(page, 1), last)
    return JobsView(
        rows=ordered[(page - 1) * PAGE_ROWS : page * PAGE_ROWS],
        params=params,
        metrics=metrics,
        sort=sort,
        state=state,
        page=page,
        last=last,
        total=len(ordered),
    )


def _columns(runs: Sequence[RunRecord], name: str, most: int) -> list[str]:
    """Names of the swept values (``params``) or ``metrics`` that most jobs have, at most so many."""
    counts = Counter(key for run in runs for key in getattr(run, name))
    return [key for key, _ in counts.most_common(most)]


def _cell(run: RunRecord, column: str) -> Any:
    if column == "job":
        return run.job
    if column == "state":
        return run.state.value
    if column == "seconds":
        return run.seconds
    return run.metrics.get(column) if column in run.metrics else run.params.get(column)


def _key(value: Any) -> tuple[int, float, str]:
    """Numbers before texts; what is no number comes last among the numbers."""
    if isinstance(value, int | float):
        return (0, math.inf if value != value else float(value), "")  # noqa: PLR0124 (NaN)
    return (1, 0.0, str(value))


def share(counts: dict[str, int], states: Sequence[str]) -> int:
    """How many per cent of the jobs are in one of the states, in whole per cent."""
    total = sum(counts.values())
    return round(100 * sum(counts.get(name, 0) for name in states) / total) if total else 0
