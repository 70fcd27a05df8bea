"""The statement of results: for each group of jobs and each metric its mean, spread and interval. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from runyard.analyze.cells import Cell, Columns
from runyard.analyze.groups import group_index
from runyard.analyze.jobtable import JobTable, numbers
from runyard.analyze.mixture import MISSING_STATES, MixedRun, mixtures_among
from runyard.base import State
from runyard.statistics import Interval, Method, describe, proportion_interval

STATISTICS = ("metric", "n", "missing", "failed", "left_out", "mean", "std", "sem", "low", "high", "mixed")
POOLED = ("successes", "trials")
#: columns of a ranking besides.
RANKED = ("rank", "behind", "p_value", "test", "verdict")
Row: TypeAlias = "dict[str, Cell]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to state: the groups, the metrics, the interval, and proportions by the columns of their two counts."""

    by: Sequence[str]
    metrics: Sequence[str]
    level: float = 0.95
    method: Method = "student"
    proportions: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def statement(table: JobTable, runs: Sequence[MixedRun], wanted: Wanted) -> Columns:
    """A row for each metric and each group, the groups in the order in which jobs first have them.

    Columns: ``by``; then STATISTICS. ``n`` finite values of COMPLETED jobs went into the mean, ``left_out`` COMPLETED
    jobs reported none. Of a proportion the mean is the sum of successes over the sum of trials, with both in columns
    of their own, and the interval Wilson's.

    Args:
        table: the jobs.
        runs: what is looked at of each of them.
        wanted: columns of the table by their names.
    """
    keys, members = groups(table, wanted.by)
    by = [free_name(name) for name in wanted.by]
    common = [_common(table, runs, positions) for positions in members]
    values = {name: list(map(float, numbers(table.columns[name]))) for name in _read(wanted)}
    rows: list[Row] = []
    for metric in dict.fromkeys([*wanted.metrics, *wanted.proportions]):
        for key, positions, about in zip(keys, members, common, strict=True):
            done = [at for at in positions if table.columns["state"][at] == State.COMPLETED]
            counts = wanted.proportions.get(metric)
            found = (
                _mean([values[metric][at] for at in done], wanted)
                if counts is None
                else _proportion([(values[counts[0]][at], values[counts[1]][at]) for at in done], wanted)
            )
            rows.append({**dict(zip(by, key, strict=True)), "metric": metric, **about, **found})
    names = [*by, *STATISTICS, *(POOLED if wanted.proportions else ())]
    return {name: [row.get(name) for row in rows] for name in names}


def free_name(name: str) -> str:
    """The column of a swept name: the name, with ``params.`` before it where a statistic has that name."""
    return f"params.{name}" if name in (*STATISTICS, *POOLED, *RANKED) else name


def groups(table: JobTable, by: Sequence[str]) -> tuple[list[tuple[Cell, ...]], list[list[int]]]:
    """The cells that the jobs of each group share, and the positions of its jobs."""
    keys, index = group_index(table, by)
    members: list[list[int]] = [[] for _ in keys]
    for position, group in enumerate(index.tolist()):
        members[group].append(position)
    return keys, members


def _read(wanted: Wanted) -> set[str]:
    plain = {metric for metric in wanted.metrics if metric not in wanted.proportions}
    return plain | {column for counts in wanted.proportions.values() for column in counts}


def _common(table: JobTable, runs: Sequence[MixedRun], positions: Sequence[int]) -> Row:
    """What holds of a group whatever the metric."""
    states = [table.columns["state"][at] for at in positions]
    missing = sum(state in MISSING_STATES for state in states)
    failed = len(states) - missing - sum(state == State.COMPLETED for state in states)
    mixed = ";".join(mixture.kind for mixture in mixtures_among([runs[at] for at in positions]))
    return {"missing": missing, "failed": failed, "mixed": mixed or None}


def _mean(values: Sequence[float], wanted: Wanted) -> Row:
    kept = [value for value in values if math.isfinite(value)]
    found = describe(kept, level=wanted.level, method=wanted.method)
    spread: Row = {"mean": _or_none(found.mean), "std": _or_none(found.std), "sem": _or_none(found.sem)}
    return {"n": found.n, "left_out": len(values) - found.n, **spread, **_bounds(found.interval)}


def _proportion(counts: Sequence[tuple[float, float]], wanted: Wanted) -> Row:
    kept = [(successes, trials) for successes, trials in counts if _are_counts(successes, trials)]
    successes, trials = sum(s for s, _ in kept), sum(t for _, t in kept)
    interval = proportion_interval(successes, trials, level=wanted.level) if trials else None
    return {
        "n": len(kept),
        "left_out": len(counts) - len(kept),
        "mean": successes / trials if trials else None,
        **_bounds(interval),
        "successes": int(successes),
        "trials": int(trials),
    }


def _are_counts(successes: float, trials: float) -> bool:
    return successes.is_integer() and trials.is_integer() and 0 <= successes <= trials


def _bounds(interval: Interval | None) -> Row:
    return {"low": interval.low, "high": interval.high} if interval else {"low": None, "high": None}


def _or_none(value: float) -> Cell:
    return None if math.isnan(value) else value
