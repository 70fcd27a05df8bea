"""The page docs/benchmarks.md, made from the results on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import (
    composing,
    costs,
    first_job,
    launchers,
    memory,
    registry,
    reporting,
    resume,
    scale,
    second,
    serving,
    slurm,
    startup,
)

#: in the order of the page.
BENCHMARKS = {
    "launchers": launchers,
    "first_job": first_job,
    "composing": composing,
    "memory": memory,
    "resume": resume,
    "startup": startup,
    "second": second,
    "costs": costs,
    "scale": scale,
    "registry": registry,
    "reporting": reporting,
    "serving": serving,
    "slurm": slurm,
}
_TOP = """# Benchmarks

This page is written by `make bench`; no number in it was typed. It runs Hydra's launchers and Runyard beside each
other, in one run and in turns, on one machine, in a virtual environment of its own. `make bench BENCH_ARGS=--quick`
takes a few minutes and small sizes; `BENCH_ARGS='--only composing'` repeats a part and leaves the rest as it was.

A cell such as `5.1 (4.9 to 5.6, n=5)` is the median, the smallest and the largest of five measurements.
"""
_NOT_JUDGED = "*Some parts are from a run with small sizes. They show that the benchmarks run, and are not judged.*"


def write_result(folder: Path, name: str, result: Mapping[str, Any]) -> None:
    """Keeps one benchmark's result."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")


def drop_result(folder: Path, name: str) -> None:
    """Forgets one benchmark's result: it is not what would come out now."""
    (folder / f"{name}.json").unlink(missing_ok=True)


def read_results(folder: Path) -> dict[str, Any]:
    """What is kept, in the order of the page."""
    paths = {name: folder / f"{name}.json" for name in BENCHMARKS}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}


def page(results: Mapping[str, Any]) -> str:
    """The whole page.

    Args:
        results: name of a benchmark to ``{"size", "date", "machine", "measured"}``.
    """
    lines = [_TOP, *_figure_lines(results), *_machine_lines(results)]
    for name, result in results.items():
        of = BENCHMARKS[name]
        lines += [f"## {of.TITLE}", "", *of.section(result["measured"])]
    return "\n".join(lines).rstrip() + "\n"


def _figure_lines(results: Mapping[str, Any]) -> list[str]:
    rows = []
    for name, result in results.items():
        for figure in BENCHMARKS[name].figures(result["measured"]):
            judged = ("yes" if figure.is_met else "**no**") if result["size"] == "full" else "not judged"
            rows.append(f"| {figure.what} | {figure.wanted} | {figure.reached} | {judged} |")
    small = [] if all(result["size"] == "full" for result in results.values()) else [_NOT_JUDGED, ""]
    return ["## Figures", "", *small, "| what | wanted | reached | met |", "|---|---|---|---|", *rows, ""]


def _machine_lines(results: Mapping[str, Any]) -> list[str]:
    """The machine, once for all parts that were measured with the same."""
    parts: dict[str, list[str]] = {}
    for name, result in results.items():
        facts = "\n".join(f"- {key}: {value}" for key, value in result["machine"].items())
        parts.setdefault(f"{facts}\n- date: {result['date']}; sizes: {result['size']}", []).append(name)
    lines = ["## Machine", ""]
    for facts, names in parts.items():
        title = [] if len(parts) == 1 else [f"For {', '.join(BENCHMARKS[name].TITLE.lower() for name in names)}:", ""]
        lines += [*title, facts, ""]
    return lines
