"""Experiments that are folders: ``experiments/YYYY-MM-DD-name/`` with config.yaml, notes.md, checkpoints/. Reads only.

Their reports are JSON files: in the experiment's own ``reports/``, or in a common one, with its name in theirs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from runyard.base import RecordError, read_json
from runyard.lifecycle.status import Judgement, Limits, Status

CONFIG, NOTES, METADATA, CHECKPOINTS, REPORTS = "config.yaml", "notes.md", "metadata.json", "checkpoints", "reports"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}-(?=.)")
_GOOD, _BAD = ("\u2713", "\u2714", "\u2705"), ("\u2717", "\u2718", "\u274c")
_DAY_S = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report of an evaluation. ``values`` is what stands in it; ``time_s`` when it was written."""

    path: Path
    values: Mapping[str, Any]
    time_s: float

    @property
    def gates_passed(self) -> bool | None:
        """The verdict of its gates; None where it has none."""
        value = self.values.get("gates_passed")
        return None if value is None else value is True

    @property
    def final_nrmse(self) -> float | None:
        """The error that is judged; None where it has none that is a number."""
        value = self.values.get("final_nrmse")
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    @property
    def has_errors(self) -> bool:
        """Whether it tells of errors."""
        return bool(self.values.get("error") or self.values.get("errors"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """An experiment's folder and its reports, the newest last."""

    folder: Path
    reports: tuple[Report, ...]

    @property
    def name(self) -> str:  # noqa: D102
        return self.folder.name

    @property
    def short_name(self) -> str:
        """The name without its date."""
        return _DATE.sub("", self.name, count=1)

    def metadata(self) -> dict[str, Any]:
        """What metadata.json says; empty where there is none.

        Raises:
            RecordError: it is no JSON object.
        """
        path = self.folder / METADATA
        try:
            value = read_json(path)
        except FileNotFoundError:
            return {}
        if not isinstance(value, dict):
            raise RecordError(path, "not a JSON object")
        return value

    def notes(self) -> str:
        """The text of notes.md; empty where there is none."""
        try:
            return (self.folder / NOTES).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""


def find_experiments(experiments: Path, reports: Path) -> list[Experiment]:
    """The experiments of a folder, by name; none where there is no such folder.

    Args:
        experiments: the folder above them. A folder in it counts when its name begins with a date, or it has a config.
        reports: the common folder of reports; it may be missing.
    """
    try:
        names = sorted(os.listdir(experiments))
    except FileNotFoundError:
        return []
    folders = [experiments / name for name in names if not name.startswith(".")]
    found = [f for f in folders if f.is_dir() and (_DATE.match(f.name) or (f / CONFIG).is_file())]
    return [read_experiment(folder, reports) for folder in found]


def read_experiment(folder: Path, reports: Path) -> Experiment:
    """An experiment with its reports; one that is no JSON object is passed over."""
    mine = re.compile(rf"(?<![A-Za-z0-9]){re.escape(folder.name)}(?![A-Za-z0-9-])")
    own = sorted((folder / REPORTS).glob("*.json"))
    common = [path for path in sorted(reports.glob("*.json")) if mine.search(path.stem)]
    found = [report for path in (*own, *common) if (report := _read(path)) is not None]
    return Experiment(folder=folder, reports=tuple(sorted(found, key=lambda report: report.time_s)))


def _read(path: Path) -> Report | None:
    try:
        value = read_json(path)
        time_s = path.stat().st_mtime
    except (RecordError, OSError):
        return None
    return Report(path=path, values=value, time_s=time_s) if isinstance(value, dict) else None


def judge_experiment(experiment: Experiment, *, now: datetime, limits: Limits) -> Judgement:
    """The status of an experiment.

    In this order: a status in metadata.json; the newest report; a tick or a cross in notes.md; then its age. A verdict
    counts also for an experiment that was changed today.

    Raises:
        RecordError: metadata.json cannot be read.
    """
    age_days = max(now.timestamp() - last_change_s(experiment.folder), 0.0) / _DAY_S
    status, why = _said(experiment) or _aged(age_days, limits)
    return Judgement(status=status, why=why, age_days=age_days)


def _said(experiment: Experiment) -> tuple[Status, str] | None:
    """What a person or a report says; None where nothing does."""
    explicit = experiment.metadata().get("status")
    if explicit in {status.value for status in Status}:
        return Status(explicit), f"{METADATA} says so"
    if experiment.reports:
        report = experiment.reports[-1]
        if report.has_errors:
            return Status.FAILED, f"errors in {report.path.name}"
        if report.gates_passed is not None:
            word = "passed" if report.gates_passed else "failed"
            return (Status.SUCCESS if report.gates_passed else Status.FAILED), f"gates {word} in {report.path.name}"
    notes = experiment.notes()
    if any(mark in notes for mark in _BAD):
        return Status.FAILED, f"a cross in {NOTES}"
    if any(mark in notes for mark in _GOOD):
        return Status.SUCCESS, f"a tick in {NOTES}"
    return None


def _aged(age_days: float, limits: Limits) -> tuple[Status, str]:
    """The status of an experiment of which nothing is said."""
    if age_days >= limits.active_days and age_days > limits.stale_days:
        return Status.STALE, f"nothing has changed for {age_days:.0f} days"
    return Status.ACTIVE, f"changed {age_days:.0f} days ago"


def last_change_s(folder: Path) -> float:
    """When anything in a folder was last changed, checkpoints too; seconds since the epoch."""
    newest = os.stat(folder).st_mtime
    for above, folders, files in os.walk(folder):
        for name in (*folders, *files):
            newest = max(newest, os.lstat(os.path.join(above, name)).st_mtime)
    return newest


def files_to_keep(experiment: Experiment) -> Sequence[str]:
    """The files of an experiment that lie at its top, by name."""
    return sorted(path.name for path in experiment.folder.iterdir() if path.is_file())


def moment(time_s: float) -> datetime:
    """Seconds since the epoch as an aware time in UTC."""
    return datetime.fromtimestamp(time_s, timezone.utc)
