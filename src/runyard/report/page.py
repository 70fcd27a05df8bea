"""The page: report.html, one self-contained file. Puts a story, figures and details into the template."""

from __future__ import annotations

import importlib.resources
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runyard.analyze import Cell, LoadedSweep, cell_text
from runyard.base import State, UsageError, finite_json, from_iso
from runyard.record import installed_version, one_line
from runyard.report.details import MOST_JOBS, details_of
from runyard.report.plate import Plate
from runyard.report.story import COST_HEADER, COVERAGE_HEADER, Story
from runyard.report.verdicts import HEADER as GATES_HEADER
from runyard.report.wording import count, duration, job_ranges, moment, number, short_names, shorten

if TYPE_CHECKING:
    from markupsafe import Markup

_TEMPLATE = Path(__file__).parent / "template"
_MOST_METRICS = 30
_CELL_WIDTH = 48
_MOODS = {
    State.COMPLETED.value: "good",
    State.PENDING.value: "",
    State.RUNNING.value: "warn",
    State.CANCELLED.value: "warn",
}
_NUMBER = re.compile(r"[+-]?[\d,]+(\.\d+)?(e[+-]?\d+)?( (s|h|min|d)( \d+ (s|h|min))?)?|\d+ of \d+")
_INLINE = re.compile(r"(``?)( ?)(?P<code>.+?)\2\1|\*\*(?P<bold>.+?)\*\*")
_MISSING = "the page needs {name}, which is not installed"


def page_html(story: Story, plates: Sequence[Plate]) -> str:
    """The page as text.

    It needs no network: plotly's JavaScript, the style and the script are in it. All that comes from tasks, configs
    and logs is escaped.

    Raises:
        UsageError: jinja2 or plotly is not installed.
    """
    try:
        import jinja2
        from markupsafe import Markup
    except ImportError as error:
        raise missing_extra("jinja2") from error
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["number_text"] = lambda text: _NUMBER.fullmatch(str(text)) is not None
    own = {name: Markup((_TEMPLATE / f"page.{name}").read_text("utf-8")) for name in ("css", "js")}
    specs = [{"data": plate.spec["data"], "layout": plate.spec["layout"]} for plate in plates]
    return environment.get_template("page.html.j2").render(
        **_context(story),
        **own,
        plotly=Markup(plotly_js()) if plates else "",
        plates=plates,
        plates_json=Markup(_json(specs)),
        details_json=Markup(_json(details_of(story.loaded))),
    )


def plotly_js() -> str:
    """plotly's JavaScript, from the installed package.

    Raises:
        UsageError: plotly is not installed.
    """
    try:
        text = (importlib.resources.files("plotly") / "package_data" / "plotly.min.js").read_text("utf-8")
    except ModuleNotFoundError as error:
        raise missing_extra("plotly") from error
    return text.replace("</script", "<\\/script")


def missing_extra(name: str) -> UsageError:
    """The error that says what to install."""
    return UsageError(_MISSING.format(name=name), where="report.html", todo="pip install 'runyard[report]'")


def _json(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(finite_json(value), ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def inline_html(text: str) -> Markup:
    """A sentence with Markdown's code and bold as HTML; all else is escaped."""
    from markupsafe import Markup, escape

    pieces, at = Markup(""), 0
    for found in _INLINE.finditer(text):
        pieces += escape(text[at : found.start()])
        name = "code" if found["code"] is not None else "strong"
        pieces += Markup(f"<{name}>") + escape(found["code"] or found["bold"]) + Markup(f"</{name}>")
        at = found.end()
    return pieces + escape(text[at:])


def _context(story: Story) -> dict[str, Any]:
    sweep = story.loaded.sweep
    verdicts = story.verdicts
    rows, rest = story.coverage_rows()
    gates = (
        None
        if verdicts is None
        else {
            "sentence": verdicts.sentence,
            "header": GATES_HEADER,
            "rows": verdicts.rows,
            "moods": ["good" if passed else "bad" for passed in verdicts.passed],
        }
    )
    context = {
        "version": installed_version("runyard") or "",
        "experiment": sweep.experiment,
        "sweep_id": sweep.sweep_id,
        "tiles": _tiles(story),
        "paragraphs": [inline_html(" ".join(part)) for part in (story.findings, story.origins[:2])],
        "note": sweep.note,
        "tags": sweep.tags,
        "mixtures": [inline_html(text) for text in story.mixtures],
        "gates": gates,
        "results": results_of(story.loaded),
        "coverage": {"sentence": story.coverage.sentence, "header": COVERAGE_HEADER, "rows": rows, "rest": rest},
        "failures": _failures(story),
        "cost": {"sentence": story.cost_sentence, "header": COST_HEADER, "rows": story.cost_rows()},
        "provenance": _provenance(story),
        "problems": [" ".join(text.split()) for text in story.all_problems],
        "footer": f"Made by Runyard {installed_version('runyard') or ''} from the files in {story.loaded.dir.name}.",
    }
    titles = ("summary", "figures", "results", "coverage", "failures", "cost", "provenance")
    words = ["What came out", *(title.capitalize() for title in titles[1:])]
    there = {"figures": story.metric is not None, "failures": bool(story.causes)}
    links = [{"id": a, "title": b} for a, b in zip(titles, words, strict=True) if there.get(a, True)]
    return {**context, "sections": links}


def _tiles(story: Story) -> list[dict[str, str]]:
    counts = story.counts
    total, done = sum(counts.values()), counts.get(State.COMPLETED.value, 0)
    waiting = sum(counts.get(state.value, 0) for state in (State.PENDING, State.RUNNING, State.CANCELLED))
    failed = total - done - waiting
    tiles = [("jobs completed", f"{done:,} of {total:,}", "good" if done == total else "")]
    tiles += [("failed", f"{failed:,}", "bad")] if failed else []
    tiles += [("not ended or cancelled", f"{waiting:,}", "warn")] if waiting else []
    if len(story.coverage.cells) > 1:
        whole = len(story.coverage.cells) - len(story.coverage.incomplete)
        tiles.append(("cells whole", f"{whole:,} of {len(story.coverage.cells):,}", ""))
    tiles.append(("job time", duration(story.cost.all.seconds), ""))
    if story.metric is not None:
        tiles.append(("metric shown", shorten(story.metric, 28), ""))
    if story.verdicts is not None:
        passed = all(story.verdicts.passed)
        tiles.append(("gates", "passed" if passed else "failed", "good" if passed else "bad"))
    return [{"label": label, "value": value, "mood": mood} for label, value, mood in tiles]


def results_of(loaded: LoadedSweep) -> dict[str, Any]:
    """Columns and rows of the results table: numbers rounded in their text, whole in their title."""
    table = loaded.table
    metrics = table.metrics[:_MOST_METRICS]
    names = ["job", "state", *table.names, *metrics, "seconds", "attempts", "git_sha"]
    labels = short_names(table.names, taken=table.metrics)
    size = min(len(table), MOST_JOBS)
    numbers = {name for name in names if _is_numeric(table.columns[name])}
    rows = [
        {
            "job": table.columns["job"][n],
            "cells": [_cell(name, table.columns[name][n], name in numbers) for name in names],
        }
        for n in range(size)
    ]
    said = (
        [f"A row for each of {count(len(table), 'job')}."]
        if size == len(table)
        else [f"The first {size:,} of {len(table):,} jobs; all of them are in results.csv."]
    )
    if len(metrics) < len(table.metrics):
        said.append(f"{len(table.metrics) - len(metrics)} more metrics are in results.csv.")
    columns = [{"name": n, "label": shorten(labels.get(n, n), 32), "number": n in numbers} for n in names]
    return {"columns": columns, "rows": rows, "sentence": " ".join(said)}


def _is_numeric(cells: Sequence[Cell]) -> bool:
    return all(cell is None or (isinstance(cell, (int, float)) and not isinstance(cell, bool)) for cell in cells)


def _cell(name: str, cell: Cell, right: bool) -> dict[str, str]:
    whole = cell_text(cell)
    text = number(cell) if isinstance(cell, float) and math.isfinite(cell) else one_line(whole)
    if name == "seconds" and isinstance(cell, float):
        text = f"{cell:.2f}"
    text = shorten(text, _CELL_WIDTH)
    mood = _MOODS.get(whole, "bad") if name == "state" else "number" if right else ""
    return {"text": text, "full": whole if whole != text else "", "mood": mood}


def _failures(story: Story) -> dict[str, Any]:
    failed = sum(len(cause.jobs) for cause in story.causes)
    text = f"{count(failed, 'job')} ended without a result, of {count(len(story.causes), 'cause')}."
    rows = [
        {
            "state": cause.state.value,
            "why": cause.why or "no more is known",
            "jobs": f"job {cause.jobs[0]}"
            if len(cause.jobs) == 1
            else f"{len(cause.jobs)} jobs: {job_ranges(cause.jobs)}",
            "first": cause.jobs[0],
        }
        for cause in story.causes
    ]
    return {"sentence": text, "rows": rows}


def _provenance(story: Story) -> dict[str, Any]:
    sweep = story.loaded.sweep
    known = sweep.provenance
    host, git = _mapping(known.get("host")), _mapping(known.get("git"))
    gpus = known.get("gpus")
    facts = [
        ("sweep", sweep.sweep_id),
        ("state", sweep.state.value),
        ("launcher", sweep.launcher),
        ("commit", str(git.get("sha") or "")),
        ("directory", str(story.loaded.dir)),
        ("working directory", sweep.cwd),
        ("overrides", " ".join(sweep.overrides)),
        ("begun", _when(sweep.created_at)),
        ("ended", _when(sweep.finished_at)),
        ("host", " ".join(str(host[key]) for key in ("name", "system") if host.get(key))),
        ("processor", f"{host['cpu']}, {host.get('cpus', '?')} CPUs" if host.get("cpu") else ""),
        ("memory", f"{host['memory_gb']} GB" if host.get("memory_gb") else ""),
        ("GPUs", ", ".join(map(str, gpus)) if isinstance(gpus, (list, tuple)) else ""),
        ("Python", str(known.get("python") or "")),
    ]
    packages = sorted(_mapping(known.get("packages")).items(), key=lambda pair: str(pair[0]).lower())
    paragraphs = [inline_html(text) for text in story.origins[2:]]
    return {"facts": [(n, v) for n, v in facts if v], "packages": packages, "paragraphs": paragraphs}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _when(text: str | None) -> str:
    try:
        return moment(from_iso(text)) if text else ""
    except ValueError:
        return text or ""
