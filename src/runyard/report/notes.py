"""The notes: what was run and what came out, in Markdown made from the data alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runyard.analyze import LoadedSweep, primary_metric
from runyard.base import RecordError, write_text
from runyard.report import findings, origin
from runyard.report.verdicts import verdicts_of
from runyard.report.wording import job_ranges

_GATES_AT_MOST = 3


def write_notes(loaded: LoadedSweep, path: Path, notmade: Sequence[str] = (), metric: str | None = None) -> None:
    """Writes ``notes.md`` in one step.

    Args:
        loaded: the sweep.
        path: where the notes go.
        notmade: sentences about what could not be read or made; they stand at the end.
        metric: the metric to speak of; None takes the primary one (see ``primary_metric``).

    Raises:
        UsageError: no job reported ``metric``.
    """
    write_text(path, notes_text(loaded, notmade, metric))


def notes_text(loaded: LoadedSweep, notmade: Sequence[str] = (), metric: str | None = None) -> str:
    """The text of the notes; see ``write_notes``."""
    name = primary_metric(loaded.table, metric)
    blocks = [
        f"# {loaded.sweep.experiment}, sweep {loaded.sweep.sweep_id}",
        " ".join((origin.what_was_run(loaded), origin.how_it_ran(loaded), origin.which_code(loaded))),
        _users_words(loaded),
        " ".join(sentence for sentence in (findings.states_sentence(loaded), *_findings(loaded, name)) if sentence),
        "" if name is None else " ".join(mixture.sentence for mixture in loaded.mixtures),
        _gates(loaded),
        "" if name is None else findings.level_table(loaded, name),
        findings.metric_table(loaded),
        *_unfinished(loaded),
        *_section("What could not be made", [f"- {' '.join(text.split())}" for text in notmade]),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _findings(loaded: LoadedSweep, metric: str | None) -> list[str]:
    if metric is None:
        return ["No job completed with a metric."] if loaded.runs else []
    return [findings.extremes(loaded, metric), findings.effects(loaded, metric), findings.left_out_sentence(loaded)]


def _gates(loaded: LoadedSweep) -> str:
    """How its gates came out, with the first of those that failed; empty where they were never judged."""
    try:
        verdicts = verdicts_of(loaded)
    except RecordError as error:
        return f"The verdicts on its gates cannot be read ({error.problem})."
    if verdicts is None:
        return ""
    failed = [row for row, passed in zip(verdicts.rows, verdicts.passed, strict=True) if not passed]
    told = [f"{origin.code(row[2])} for {row[1]} ({row[-1]})" for row in failed[:_GATES_AT_MOST]]
    more = f" and {len(failed) - len(told)} more" if len(failed) > len(told) else ""
    return f"Gates: {verdicts.sentence}" + (f" Failed: {'; '.join(told)}{more}." if told else "")


def _users_words(loaded: LoadedSweep) -> str:
    tags = f"Tags: {', '.join(map(origin.code, loaded.sweep.tags))}." if loaded.sweep.tags else ""
    note = "\n".join(f"> {line}" for line in loaded.sweep.note.splitlines())
    return "\n\n".join(text for text in (note, tags) if text)


def _unfinished(loaded: LoadedSweep) -> list[str]:
    """The section about jobs without a result: causes of failures, then those that did not run to an end."""
    lines = findings.failure_lines(loaded)
    for state in ("PENDING", "RUNNING", "CANCELLED"):
        jobs = [run.job for run in loaded.runs if run.state.value == state]
        if jobs:
            lines.append(f"- {state}: {'job' if len(jobs) == 1 else 'jobs'} {job_ranges(jobs)}")
    return _section("What did not complete", lines)


def _section(heading: str, lines: Sequence[str]) -> list[str]:
    return [f"## {heading}", "\n".join(lines)] if lines else []
