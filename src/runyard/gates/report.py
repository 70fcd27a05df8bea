"""The gates of a sweep: every rule in every cell, over its seeds. Reads sweeps; writes nothing."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from runyard.analyze import Cell, LoadedSweep, level
from runyard.base import State, UsageError
from runyard.gates.judging import Judged, Values, judge
from runyard.gates.rule import Rule, parse_rules
from runyard.statistics import Interval

SCHEMA = 1
Setting = tuple[tuple[str, Cell], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellGates:
    """The verdicts of one cell: the swept values that its ``jobs`` share, seeds left out."""

    setting: Setting
    jobs: tuple[int, ...]
    verdicts: tuple[Judged, ...]

    @property
    def passed(self) -> bool:
        """Whether every rule holds."""
        return all(verdict.passed for verdict in self.verdicts)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """The verdicts of a sweep, or of the cells that were asked for. ``baseline`` is what it was called, or empty."""

    sweep_id: str
    rules: tuple[Rule, ...]
    cells: tuple[CellGates, ...]
    baseline: str = ""

    @property
    def passed(self) -> bool:
        """Whether every cell passes; False where there is none."""
        return bool(self.cells) and all(cell.passed for cell in self.cells)

    def to_json(self) -> dict[str, Any]:
        """The mapping that stands in ``gates.json``."""
        return {
            "schema": SCHEMA,
            "sweep_id": self.sweep_id,
            "gates_passed": self.passed,
            "baseline": self.baseline,
            "rules": [rule.to_json() for rule in self.rules],
            "cells": [
                {
                    "setting": dict(cell.setting),
                    "jobs": list(cell.jobs),
                    "gates_passed": cell.passed,
                    "verdicts": [_verdict_json(verdict) for verdict in cell.verdicts],
                }
                for cell in self.cells
            ],
        }

    @staticmethod
    def from_json(value: Any) -> GateReport:
        """The report that ``to_json`` wrote. Raises KeyError, TypeError or ValueError on anything else."""
        if value["schema"] != SCHEMA:
            raise ValueError(f"schema {value['schema']!r}; this version reads {SCHEMA}")
        rules = parse_rules(value["rules"])
        return GateReport(
            sweep_id=value["sweep_id"],
            baseline=value["baseline"],
            rules=rules,
            cells=tuple(
                CellGates(
                    setting=tuple(cell["setting"].items()),
                    jobs=tuple(cell["jobs"]),
                    verdicts=tuple(
                        _verdict_from(verdict, rule) for verdict, rule in zip(cell["verdicts"], rules, strict=True)
                    ),
                )
                for cell in value["cells"]
            ),
        )


def _verdict_json(verdict: Judged) -> dict[str, Any]:
    interval = verdict.interval
    return {
        "gate": verdict.rule.text,
        "metric": verdict.rule.metric,
        "passed": verdict.passed,
        "provisional": verdict.provisional,
        "why": verdict.why,
        "n": verdict.n,
        "value": verdict.value,
        "baseline": verdict.baseline,
        "interval": None if interval is None else [interval.low, interval.high, interval.level, interval.method],
    }


_INTERVAL = ("low", "high", "level", "method")


def _verdict_from(value: Any, rule: Rule) -> Judged:
    interval = value["interval"]
    return Judged(
        rule=rule,
        passed=bool(value["passed"]),
        provisional=bool(value["provisional"]),
        why=value["why"],
        n=int(value["n"]),
        value=value["value"],
        baseline=value["baseline"],
        interval=None if interval is None else Interval(**dict(zip(_INTERVAL, interval, strict=True))),
    )


def gate_sweep(
    loaded: LoadedSweep,
    rules: Sequence[Rule],
    *,
    baseline: LoadedSweep | None = None,
    baseline_job: int | None = None,
    baseline_name: str = "",
    job: int | None = None,
    allow_missing: bool = False,
) -> GateReport:
    """Judges a sweep, cell by cell.

    A job that did not complete has no metric, and its cell fails for that. A baseline of one cell is that of every
    cell; one of several gives to each cell the one of the same swept values.

    Args:
        loaded: the sweep.
        rules: what must hold.
        baseline: the sweep to compare with.
        baseline_job: only the cell of this job of it.
        baseline_name: what it is called in the report.
        job: only the cell of this job.
        allow_missing: jobs that did not complete are passed over.

    Raises:
        UsageError: there is no rule, or a job that is named is not there.
    """
    if not rules:
        raise UsageError("there is no rule to judge by", where="gates", todo="give one, such as --rule 'loss < 0.1'")
    cells = _cells(loaded, job)
    theirs = {} if baseline is None else _cells(baseline, baseline_job)
    judged = [
        CellGates(
            setting=setting,
            jobs=tuple(loaded.runs[at].job for at in rows),
            verdicts=tuple(
                judge(
                    rule,
                    _values(loaded, rows, rule.metric, allow_missing),
                    None if baseline is None else _counterpart(baseline, theirs, setting, rule.metric, allow_missing),
                    has_baseline=baseline is not None,
                )
                for rule in rules
            ),
        )
        for setting, rows in cells.items()
    ]
    return GateReport(sweep_id=loaded.sweep.sweep_id, rules=tuple(rules), cells=tuple(judged), baseline=baseline_name)


def _cells(loaded: LoadedSweep, job: int | None) -> dict[Setting, list[int]]:
    """Rows of the job table by cell; with ``job`` only its own."""
    names = [axis.name for axis in loaded.axes if axis.role == "setting"]
    cells: dict[Setting, list[int]] = {}
    for at in range(len(loaded.runs)):
        cells.setdefault(tuple((name, level(loaded.table.columns[name][at])) for name in names), []).append(at)
    if job is None:
        return cells
    found = {key: rows for key, rows in cells.items() if any(loaded.runs[at].job == job for at in rows)}
    if not found:
        raise UsageError(f"no job {job} in this sweep", where=str(loaded.dir), todo="see runyard results")
    return found


def _counterpart(
    baseline: LoadedSweep, cells: dict[Setting, list[int]], setting: Setting, metric: str, allow_missing: bool
) -> Values | None:
    rows = next(iter(cells.values())) if len(cells) == 1 else cells.get(setting)
    return None if rows is None else _values(baseline, rows, metric, allow_missing)


def _values(loaded: LoadedSweep, rows: Sequence[int], metric: str, allow_missing: bool) -> Values:
    """The metric of each run by its seed and its other repetitions; by its row where they do not tell runs apart."""
    column = next((name for name in (metric, f"metrics.{metric}") if name in loaded.metrics), None)
    names = [axis.name for axis in loaded.axes if axis.role != "setting"]
    keys: list[Hashable] = [tuple(level(loaded.table.columns[name][at]) for name in names) for at in rows]
    if len(set(keys)) < len(keys):
        keys = [(str(loaded.dir), at) for at in rows]
    values: dict[Hashable, float | None] = {}
    for key, at in zip(keys, rows, strict=True):
        is_completed = loaded.runs[at].state is State.COMPLETED
        if is_completed or not allow_missing:
            cell = loaded.table.columns[column][at] if column is not None and is_completed else None
            values[key] = float(cell) if isinstance(cell, (int, float)) else None
    return values
