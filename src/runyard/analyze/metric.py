"""The primary metric: the one that figures and notes show. Pure."""

from __future__ import annotations

import math
import re

from runyard.analyze.cells import Cell
from runyard.analyze.groups import is_completed
from runyard.analyze.jobtable import JobTable
from runyard.base import unknown_name

#: words of a name that tell of time or size spent, and not of what came out.
_BOOKKEEPING = re.compile(
    r"(.*[^a-z])?(s|ms|secs?|seconds?|minutes|hours|times?|duration|elapsed|runtime|walltime|timestamp"
    r"|steps?|epochs?|iter(ation)?s?|counts?|num|size|bytes|[kmg]b|memory|seed|param(eter)?s)"
    r"|(n|num|time|seconds)([^a-z].*)?"
)


def primary_metric(table: JobTable, metric: str | None = None) -> str | None:
    """The column of the metric to show.

    That is the first one reported which differs between COMPLETED jobs and whose name does not look like
    bookkeeping of time or size (``seconds``, ``fit_s``, ``n_steps``); failing that the first that differs,
    the first that is no bookkeeping, the first at all.

    Args:
        table: the jobs.
        metric: the name of one to show whatever the rule says; its own name, also when its column has a prefix.

    Returns:
        The column, or None when no completed job reported a finite number.

    Raises:
        UsageError: ``metric`` is not among those that were reported.
    """
    if metric is not None and table.metrics:
        return _named(table, metric)
    done = is_completed(table)
    values = {
        name: [cell for cell, ok in zip(table.columns[name], done, strict=True) if ok and _is_finite(cell)]
        for name in table.metrics
    }
    known = [name for name in table.metrics if values[name]]
    ranked = sorted(known, key=lambda name: (len(set(values[name])) < 2, is_bookkeeping(name)))
    return ranked[0] if ranked else None


def _named(table: JobTable, metric: str) -> str:
    for column in (metric, f"metrics.{metric}"):
        if column in table.metrics:
            return column
    raise unknown_name("metric", metric, table.metrics)


def is_bookkeeping(name: str) -> bool:
    """Whether the last part of a metric's name tells of time or size spent."""
    last = re.split(r"[/.]", name.lower())[-1]
    return _BOOKKEEPING.fullmatch(last) is not None


def _is_finite(cell: Cell) -> bool:
    return isinstance(cell, (int, float)) and math.isfinite(cell)
