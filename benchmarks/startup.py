"""What it costs to start: the command's help and the import, beside an interpreter that imports click."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.commands import Place, run, script
from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from benchmarks.stats import Series, number, table

TITLE = "Start-up"
_LIMIT = 2.5


def commands() -> dict[str, list[str]]:
    """Name to command."""
    python = [sys.executable, "-c"]
    return {
        'python -c "pass"': [*python, "pass"],
        'python -c "import click"': [*python, "import click"],
        'python -c "import runyard"': [*python, "import runyard"],
        "runyard --help": [script("runyard"), "--help"],
        'python -c "import hydra"': [*python, "import hydra"],
    }


def measure(sizes: Sizes, place: Place) -> dict[str, Any]:
    """Milliseconds of each command, in turns."""
    spent: dict[str, list[float]] = {name: [] for name in commands()}
    cwd = place.folder()
    for turn in range(sizes.startup_rounds + 1):
        for name, command in commands().items():
            took = 1000 * run(command, place, cwd).seconds
            if turn:  # the first fills caches
                spent[name].append(took)
    return {"ms": spent}


def section(result: Mapping[str, Any]) -> list[str]:
    """The page's section, in Markdown."""
    click = Series.of(result["ms"]['python -c "import click"']).median
    rows = [
        [f"`{name}`", Series.of(values).text("ms"), number(Series.of(values).median / click)]
        for name, values in result["ms"].items()
    ]
    return ["Whole commands, in turns.", "", *table(["command", "wall time", "times `import click`"], rows)]


def figures(result: Mapping[str, Any]) -> list[Figure]:
    """Within 2.5 times of an interpreter that imports click."""
    click, ours = (Series.of(result["ms"][name]).median for name in ('python -c "import click"', "runyard --help"))
    return [
        Figure(
            what='`runyard --help` beside `python -c "import click"`',
            wanted=f"within {_LIMIT} times",
            reached=f"{number(ours / click)} times ({number(ours)} ms against {number(click)} ms)",
            is_met=ours / click <= _LIMIT,
        )
    ]
