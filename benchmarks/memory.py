"""The controller's memory: does it grow with the number of jobs?"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.apps import make_app
from benchmarks.commands import PeakMemory, Place, run
from benchmarks.contenders import CONTENDERS, Contender
from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from benchmarks.stats import Series, number, table

TITLE = "Memory of the controller"
_LIMIT_MB = 20.0


def measure(sizes: Sizes, place: Place) -> dict[str, Any]:
    """The peak of the process that the user started, alone, for a smaller and a larger sweep."""
    apps = place.folder()
    program = make_app("trivial", apps / "app")
    wanted = (("ours", sizes.memory_jobs), ("basic", sizes.peer_memory_jobs))
    return {
        "rows": [
            {"contender": key, "jobs": jobs, "mb": _peaks(program, CONTENDERS[key], jobs, sizes, place)}
            for key, sweeps in wanted
            for jobs in sweeps
        ]
    }


def _peaks(program: Path, contender: Contender, jobs: int, sizes: Sizes, place: Place) -> list[float]:
    return [_peak(program, contender, jobs, place) for _ in range(sizes.memory_rounds)]


def _peak(program: Path, contender: Contender, jobs: int, place: Place) -> float:
    cwd = place.folder()
    peak = PeakMemory()
    command = [sys.executable, str(program), "-m", f"x=range({jobs})", *contender.words]
    run(command, place, cwd, watch=peak)
    return peak.mb


def section(result: Mapping[str, Any]) -> list[str]:
    """The page's section, in Markdown."""
    rows = [
        [CONTENDERS[row["contender"]].name, f"{row['jobs']:,}", Series.of(row["mb"]).text("MB")]
        for row in result["rows"]
    ]
    growth = [f"{CONTENDERS[key].name}: {number(1000 * _growth(rows_))} kB a job" for key, rows_ in _pairs(result)]
    return [
        "The largest resident size of the process that the user started, without its children. The trivial "
        "application.",
        "",
        *table(["launcher", "jobs", "peak"], rows),
        f"Growth between the two: {'; '.join(growth)}. Hydra's basic launcher is measured on smaller sweeps, for they "
        "take it long.",
        "",
    ]


def _pairs(result: Mapping[str, Any]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    keys = dict.fromkeys(row["contender"] for row in result["rows"])
    return [(key, [row for row in result["rows"] if row["contender"] == key]) for key in keys]


def _growth(rows: Sequence[Mapping[str, Any]]) -> float:
    """MB a job."""
    small, large = rows
    return (Series.of(large["mb"]).median - Series.of(small["mb"]).median) / (large["jobs"] - small["jobs"])


def figures(result: Mapping[str, Any]) -> list[Figure]:
    """Less than 20 MB more."""
    small, large = dict(_pairs(result))["ours"]
    more = Series.of(large["mb"]).median - Series.of(small["mb"]).median
    return [
        Figure(
            what=f"controller memory from {small['jobs']:,} to {large['jobs']:,} jobs",
            wanted=f"grows by less than {_LIMIT_MB:.0f} MB",
            reached=f"{more:+.1f} MB",
            is_met=more < _LIMIT_MB,
        )
    ]
