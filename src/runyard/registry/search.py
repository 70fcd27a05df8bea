"""Runs of all sweeps that fit a condition, as rows, or as columns for a data frame."""

from __future__ import annotations

import gc
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runyard.base import from_finite_json
from runyard.registry.asking import TOLD, Hit, Place, asking, known_names, parsed
from runyard.registry.expression import Expression, Known, Name, name_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRuns:
    """Runs, and what there is to ask for.

    ``rows`` has a mapping a run: ``state``, ``experiment``, ``sweep_id``, ``job``, ``seconds``, ``git_sha``, ``host``,
    ``tags``, ``created_at`` (of the sweep), ``launcher``, ``note``, ``run_key``, then ``params`` and ``metrics``, by
    name, and ``run_dir`` and ``sweep_dir``, absolute. ``total`` counts all that fit, also beyond the limit.
    """

    rows: list[dict[str, Any]]
    total: int
    known: Known


def find_runs(
    roots: Sequence[Path], where: str | None = None, *, sort: str | None = None, limit: int | None = None
) -> FoundRuns:
    """The runs below some roots for which a condition holds.

    Args:
        roots: those that do not exist are passed over.
        where: see ``runyard.registry.expression``; None for all runs.
        sort: a name such as ``metrics.acc``; with ``-`` before it the largest comes first. Runs that lack it come
            last. None: the newest sweep first, its runs by number.
        limit: at most so many.

    Raises:
        UsageError: the condition cannot be read, or no run has a name in it.
    """
    with asking(roots) as places:
        hits = _hits(places, where, sort)
        rows = _rows(hits[:limit])
        return FoundRuns(rows=rows, total=len(hits), known=known_names(places))


def load_runs(roots: Sequence[Path], where: str | None = None) -> dict[str, list[Any]]:
    """``find_runs`` by columns: fields under their names, ``params.<name>``, ``metrics.<name>``, and ``run_dir``.

    A value that a run does not have is None.

    Raises:
        UsageError: as ``find_runs``.
    """
    with _without_collector(), asking(roots) as places:
        expression = _checked(places, where)
        return _columns([(place, place.rows(expression)) for place in places])


def runs_frame(roots: Sequence[Path], where: str | None = None) -> pd.DataFrame:
    """``load_runs`` as a DataFrame: one row per run; missing numbers are NaN.

    Raises:
        UsageError: as ``find_runs``.
    """
    import pandas as pd

    with _without_collector():
        return pd.DataFrame(load_runs(roots, where))


@contextmanager
def _without_collector() -> Iterator[None]:
    """Python's cycle collector stands aside: it would look through all new rows again and again, and find no cycle.

    100,000 runs are loaded in half the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def names_in(where: str | None, sort: str | None = None) -> list[str]:
    """The names that a condition asks for, and the one to order by, in their order.

    Raises:
        UsageError: the condition cannot be read.
    """
    expression = Expression(where) if where is not None and where.strip() else None
    names = [str(name) for name in expression.names.values()] if expression is not None else []
    return list(dict.fromkeys([*names, *([sort.removeprefix("-")] if sort else [])]))


def check_names(known: Known, names: Sequence[str], *, where: str) -> None:
    """Raises UsageError for a name that no run has; it names the nearest."""
    for name in names:
        known.check(name_of(name), where=where)


_Placed = tuple[Place, Hit]


def _checked(places: Sequence[Place], where: str | None, order: Name | None = None) -> Expression | None:
    """The condition, whose names and that of the order some run has; where there are no runs any name will do."""
    expression = Expression(where) if where is not None and where.strip() else None
    if any(place.sweeps for place in places):
        known = known_names(places)
        if expression is not None:
            expression.check(known)
        if order is not None:
            known.check(order, where="the order")
    return expression


def _hits(places: Sequence[Place], where: str | None, sort: str | None) -> list[_Placed]:
    order = None if sort is None else name_of(sort.removeprefix("-"))
    expression = _checked(places, where, order)
    by_sweep = {
        (n, sweep): list(hits)
        for n, place in enumerate(places)
        for sweep, hits in groupby(place.hits(expression, order), lambda hit: hit.sweep)
    }
    newest = sorted(by_sweep, key=lambda at: places[at[0]].sweeps[at[1]], reverse=True)
    placed = [(places[at[0]], hit) for at in newest for hit in by_sweep[at]]
    return placed if order is None else _ordered(placed, largest_first=(sort or "").startswith("-"))


def _ordered(placed: list[_Placed], *, largest_first: bool) -> list[_Placed]:
    """Numbers, then texts, then what cannot be ordered; equal ones stay in their order."""
    kinds: tuple[list[_Placed], list[_Placed], list[_Placed]] = ([], [], [])
    for one in placed:
        value = one[1].value
        is_number = isinstance(value, (int, float)) and not math.isnan(value)
        kinds[0 if is_number else 1 if isinstance(value, str) else 2].append(one)
    for kind in kinds[:2]:
        kind.sort(key=lambda one: one[1].value, reverse=largest_first)
    return [one for kind in kinds for one in kind]


def _rows(placed: Sequence[_Placed]) -> list[dict[str, Any]]:
    jobs: dict[tuple[int, int], list[int]] = {}
    places = {id(place): place for place, _ in placed}
    for place, hit in placed:
        jobs.setdefault((id(place), hit.sweep), []).append(hit.job)
    rows = {}
    for (at, sweep), mine in jobs.items():
        sweep_dir = places[at].sweep_dir(sweep)
        for values in places[at].rows_of(sweep, mine):
            rows[at, sweep, values[1]] = _row(sweep_dir, values)
    return [rows[id(place), hit.sweep, hit.job] for place, hit in placed]


def _row(sweep_dir: Path, values: Sequence[Any]) -> dict[str, Any]:
    _, _, params, metrics, run_dir, *fields = values
    row = dict(zip(TOLD, fields, strict=True))
    return row | {
        "tags": json.loads(row["tags"]),
        "params": _bare(json.loads(params)),
        "metrics": from_finite_json(json.loads(metrics)),
        "run_dir": os.path.normpath(f"{sweep_dir}/{run_dir}") if run_dir[:1] != "/" else run_dir,
        "sweep_dir": str(sweep_dir),
    }


def _bare(params: Mapping[str, Any]) -> dict[str, Any]:
    return {key.lstrip("+~"): value for key, value in params.items()}


def _columns(parts: Sequence[tuple[Place, Sequence[tuple[Any, ...]]]]) -> dict[str, list[Any]]:
    rows = [row for _, mine in parts for row in mine]
    _, _, params, metrics, _, *fields = zip(*rows, strict=True) if rows else [()] * (5 + len(TOLD))
    columns: dict[str, list[Any]] = {name: list(values) for name, values in zip(TOLD, fields, strict=True)}
    columns["tags"] = parsed(columns["tags"])
    columns |= _spread("params", parsed(params)) | _spread("metrics", parsed(metrics))
    columns["run_dir"] = [folder for place, mine in parts for folder in _folders(place, mine)]
    return columns


def _folders(place: Place, rows: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    for sweep, mine in groupby(rows, lambda row: row[0]):
        base = f"{place.sweep_dir(sweep)}/"
        for row in mine:
            # nearly all are one word, such as the job's number
            yield base + row[4] if "/" not in row[4] and row[4] not in (".", "..") else os.path.join(base, row[4])


def _spread(kind: str, mappings: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """A column for each name, in the order in which they come."""
    columns: dict[str, list[Any]] = {}
    for n, mapping in enumerate(mappings):
        for key, value in mapping.items():
            column = columns.get(key)
            if column is None:
                column = columns[key] = [None] * len(mappings)
            column[n] = value
    if kind == "metrics":
        return {f"metrics.{key}": _numbers(column) for key, column in columns.items()}
    found: dict[str, list[Any]] = {}
    for key, column in columns.items():
        name = f"params.{key.lstrip('+~')}"
        mine = found.setdefault(name, column)
        if mine is not column:  # the same parameter with and without the sign of an override
            found[name] = [a if a is not None else b for a, b in zip(mine, column, strict=True)]
    return found


def _numbers(column: list[Any]) -> list[Any]:
    """NaN and the infinities stand in JSON as texts."""
    if not any(type(value) is str for value in column):
        return column
    return [from_finite_json({"": value})[""] if type(value) is str else value for value in column]
