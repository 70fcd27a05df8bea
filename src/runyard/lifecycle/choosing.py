"""Which sweeps are meant when none is named: by status, by age, all but the best. Reads only."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from runyard.base import RecordError, State, UsageError
from runyard.lifecycle.keeping import KEEP_TAG
from runyard.lifecycle.status import Judgement, Limits, Status, last_sign, status_of
from runyard.record import SweepRecord, read_runs, read_sweep
from runyard.registry import list_sweeps

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([hdw])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A sweep with its root and its status."""

    sweep_dir: Path
    root: Path
    record: SweepRecord
    judged: Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is asked for. None asks for nothing.

    ``keep_best``: so many sweeps of each experiment are spared, those with the best ``metric`` of any completed job;
    ``mode`` says which way is better.
    """

    statuses: Collection[Status]
    older_than: timedelta | None = None
    keep_best: int = 0
    metric: str | None = None
    mode: str = "max"


def parse_age(text: str) -> timedelta:
    """``30d``, ``12h``, ``2w`` as a time.

    Raises:
        UsageError: it is nothing like that.
    """
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is no age", where="--older-than", todo="write a number and h, d or w: 12h, 30d, 2w")
    return float(found[1]) * _UNITS[found[2]]


def candidates(roots: Sequence[Path], *, now: datetime, limits: Limits) -> list[Candidate]:
    """Every sweep below the roots that can be read, the newest first."""
    found = []
    for root in roots:
        for row in list_sweeps(root):
            sweep_dir = Path(row["path"])
            try:
                record = read_sweep(sweep_dir)
                judged = status_of(sweep_dir, record, now=now, limits=limits)
            except (RecordError, OSError):
                continue  # gone meanwhile, or damaged: nothing is done to it
            found.append(Candidate(sweep_dir=sweep_dir, root=root, record=record, judged=judged))
    return found


def choose(found: Sequence[Candidate], choice: Choice, *, now: datetime) -> tuple[list[Candidate], list[str]]:
    """The sweeps that a choice takes, and in sentences which it spares although they fit.

    Raises:
        UsageError: the best are to be kept of no metric.
    """
    if choice.keep_best and choice.metric is None:
        raise UsageError("the best by which metric?", where="--keep-best", todo="name it with --metric")
    fitting = [c for c in found if c.judged.status in choice.statuses]
    if choice.older_than is not None:
        fitting = [c for c in fitting if now - last_sign(c.sweep_dir, c.record) > choice.older_than]
    spared = [f"{c.record.sweep_id} is tagged {KEEP_TAG!r}" for c in fitting if KEEP_TAG in c.record.tags]
    fitting = [c for c in fitting if KEEP_TAG not in c.record.tags]
    best = _best(found, choice) if choice.keep_best else {}
    spared += [f"{c.record.sweep_id} is kept: {best[c.sweep_dir]}" for c in fitting if c.sweep_dir in best]
    return [c for c in fitting if c.sweep_dir not in best], spared


def _best(found: Sequence[Candidate], choice: Choice) -> dict[Path, str]:
    """The best sweeps of each experiment, among all that there are, each with why."""
    kept: dict[Path, str] = {}
    sign = -1.0 if choice.mode == "min" else 1.0
    metric = choice.metric or ""
    for experiment in {c.record.experiment for c in found}:
        values = {c.sweep_dir: _value(c.sweep_dir, metric, sign) for c in found if c.record.experiment == experiment}
        ranked = sorted((v, path) for path, v in values.items() if v is not None)
        for value, path in reversed(ranked[-choice.keep_best :]):
            kept[path] = f"{metric} = {sign * value:.6g}"
    return kept


def _value(sweep_dir: Path, metric: str, sign: float) -> float | None:
    """The best value of a metric among the completed jobs, times ``sign``; None where none has it."""
    values = [run.metrics.get(metric) for run in read_runs(sweep_dir) if run.state is State.COMPLETED]
    numbers = [sign * v for v in values if isinstance(v, (int, float)) and not math.isnan(v)]
    return max(numbers, default=None)
