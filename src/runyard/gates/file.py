"""``gates.json``: the last verdicts of a sweep, in its directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runyard.base import RecordError, read_json, write_json
from runyard.gates.report import CellGates, GateReport

GATES_FILE = "gates.json"


def write_gates(sweep_dir: Path, report: GateReport) -> Path:
    """Writes the report in one step; returns where."""
    path = sweep_dir / GATES_FILE
    write_json(path, report.to_json())
    return path


def read_gates(sweep_dir: Path) -> GateReport | None:
    """The report of a sweep; None where its gates were never judged.

    Raises:
        RecordError: the file is not such a report.
    """
    path = sweep_dir / GATES_FILE
    try:
        value: Any = read_json(path)
    except FileNotFoundError:
        return None
    try:
        return GateReport.from_json(value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(path, f"not a report of gates ({type(error).__name__}: {error})") from error


def gates_of_job(sweep_dir: Path, job: int) -> CellGates | None:
    """The verdicts of the cell that a job belongs to; None where they were never judged.

    Raises:
        RecordError: the file is not a report of gates.
    """
    report = read_gates(sweep_dir)
    return None if report is None else next((cell for cell in report.cells if job in cell.jobs), None)
