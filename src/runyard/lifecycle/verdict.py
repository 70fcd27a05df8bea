"""Whether a run has passed its gates: as the run itself reports, and as ``runyard gate`` has judged its sweep."""

from __future__ import annotations

from dataclasses import dataclass

from runyard.gates import gates_of_job
from runyard.lifecycle.subject import Subject

#: what a task reports that judges itself: 1 (true) or 0.
GATES_METRIC = "gates_passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``passed`` is None where nobody has judged. ``why`` names every gate that failed, or who says that all passed."""

    passed: bool | None
    why: str


def verdict_on(subject: Subject) -> Verdict:
    """The verdict on a run. Where both the run and the sweep's gates.json judge, both must be content.

    Raises:
        RecordError: gates.json is not a report of gates.
    """
    own = subject.run.metrics.get(GATES_METRIC)
    cell = gates_of_job(subject.sweep_dir, subject.run.job)
    if own is None and cell is None:
        return Verdict(
            passed=None, why=f"the run reports no metric {GATES_METRIC}, and its sweep has no verdict in gates.json"
        )
    failed = [] if own is None or own == 1 else [f"the run reports {GATES_METRIC} = {own:g}"]
    if cell is not None:
        failed += [f"{v.rule.text}: {v.why}" for v in cell.verdicts if not v.passed]
    if failed:
        return Verdict(passed=False, why="; ".join(failed))
    said = [f"{GATES_METRIC} = 1"] if own is not None else []
    if cell is not None:
        count = len(cell.verdicts)
        provisional = sum(v.provisional for v in cell.verdicts)
        said.append(f"{count} of {count} gates in gates.json" + (f", {provisional} provisional" if provisional else ""))
    return Verdict(passed=True, why=" and ".join(said))
