"""The report in Markdown: report.md, the same story as the page, with figures by link."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from runyard.report import findings
from runyard.report.origin import code
from runyard.report.plate import Plate
from runyard.report.story import COST_HEADER, COVERAGE_HEADER, Story
from runyard.report.verdicts import HEADER as GATES_HEADER
from runyard.report.wording import count


def report_text(story: Story, figures: Sequence[tuple[Plate, PurePath]]) -> str:
    """The text of ``report.md``.

    Args:
        story: what to say.
        figures: the figures with the place of their PNG, relative to the report.
    """
    loaded = story.loaded
    blocks = [
        f"# {loaded.sweep.experiment}, sweep {loaded.sweep.sweep_id}",
        " ".join(story.findings),
        " ".join(story.origins),
        "\n".join(f"> {line}" for line in loaded.sweep.note.splitlines()),
        f"Tags: {', '.join(map(code, loaded.sweep.tags))}." if loaded.sweep.tags else "",
        *_section("Before you trust a mean", _items(story.mixtures)),
        *_gates(story),
        *_section("Figures", "\n\n".join(_figure(plate, path) for plate, path in figures)),
        *_section("Results", _results(story)),
        *_coverage(story),
        *_section("Failures", "\n".join(findings.failure_lines(loaded))),
        "## Cost",
        story.cost_sentence,
        _table(COST_HEADER, story.cost_rows()),
        *_section("What could not be read or made", _items(story.all_problems)),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _section(heading: str, text: str) -> list[str]:
    return [f"## {heading}", text] if text else []


def _items(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {' '.join(text.split())}" for text in sentences)


def _figure(plate: Plate, path: PurePath) -> str:
    title = plate.title.replace("[", "(").replace("]", ")")
    return f"![{title}]({path.as_posix()})\n\n{_plain(plate.caption)}"


def _plain(text: str) -> str:
    """Text that Markdown shows as it stands."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>" else char for char in text)


def _results(story: Story) -> str:
    tables = [] if story.metric is None else [findings.level_table(story.loaded, story.metric)]
    tables.append(findings.metric_table(story.loaded))
    rows = f"A row for each of {count(len(story.loaded.runs), 'job')} is in [results.csv](results.csv)."
    return "\n\n".join(text for text in (*tables, rows) if text)


def _gates(story: Story) -> list[str]:
    verdicts = story.verdicts
    return [] if verdicts is None else ["## Gates", verdicts.sentence, _table(GATES_HEADER, verdicts.rows)]


def _coverage(story: Story) -> list[str]:
    rows, rest = story.coverage_rows()
    return ["## Coverage", story.coverage.sentence, _table(COVERAGE_HEADER, rows), rest]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return findings.markdown_table(header, [[_plain(cell) for cell in row] for row in rows]) if rows else ""
