"""The gates' verdicts as a table. Reads what was judged; judges nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runyard.analyze import LoadedSweep, cell_text
from runyard.gates import Judged, read_gates
from runyard.report.wording import count, number

HEADER = ("verdict", "cell", "gate", "value", "baseline", "n", "why")
_MOST_ROWS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """The verdicts of a sweep: a sentence, and a row per rule and cell under ``HEADER``; ``passed`` one for each."""

    sentence: str
    rows: tuple[tuple[str, ...], ...]
    passed: tuple[bool, ...]


def verdicts_of(loaded: LoadedSweep) -> Verdicts | None:
    """The verdicts in the sweep's ``gates.json``; None where its gates were never judged.

    Raises:
        RecordError: the file is not a report of gates.
    """
    report = read_gates(loaded.dir)
    if report is None:
        return None
    rows: list[tuple[str, ...]] = []
    passed: list[bool] = []
    for cell in report.cells:
        setting = ", ".join(f"{name.rpartition('.')[2]}={cell_text(value)}" for name, value in cell.setting)
        for verdict in cell.verdicts:
            rows.append(_row(setting or "all jobs", verdict))
            passed.append(verdict.passed)
    order = sorted(range(len(rows)), key=lambda n: passed[n])[:_MOST_ROWS]  # what failed comes first
    good = sum(cell.passed for cell in report.cells)
    beside = f", beside the baseline {report.baseline}" if report.baseline else ""
    text = f"{good:,} of {count(len(report.cells), 'cell')} {'meets' if good == 1 else 'meet'} every rule{beside}."
    return Verdicts(sentence=text, rows=tuple(rows[n] for n in order), passed=tuple(passed[n] for n in order))


def _row(setting: str, verdict: Judged) -> tuple[str, ...]:
    word = "failed" if not verdict.passed else "passed for now" if verdict.provisional else "passed"
    return (word, setting, verdict.rule.text, *_numbers((verdict.value, verdict.baseline)), f"{verdict.n}", verdict.why)


def _numbers(values: Sequence[float | None]) -> list[str]:
    return ["" if value is None else number(value) for value in values]
