"""A sweep over a hundred thousand points."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.apps import make_app
from benchmarks.commands import BenchmarkError, PeakMemory, Place, count_jobs, run
from benchmarks.contenders import CONTENDERS, PROCESSES
from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from benchmarks.stats import number, table

TITLE = "A hundred thousand points"
_SEEDS = 2


def measure(sizes: Sizes, place: Place) -> dict[str, Any]:
    """Plans all; runs the first of them; runs all if that can be expected to end in time."""
    points = sizes.scale_points
    rows = []
    apps = place.folder()
    program = make_app("trivial", apps / "app")
    rows.append({"what": "plan", **_sweep(program, points, place, "hydra.sweeper.dry_run=true", wanted=0)})
    probe = sizes.scale_probe
    rows.append({"what": "probe", **_sweep(program, points, place, f"hydra.sweeper.max_jobs={probe}", wanted=probe)})
    expected_s = rows[-1]["seconds"] * points / probe
    if expected_s <= sizes.scale_limit_s:
        rows.append({"what": "all", **_sweep(program, points, place, wanted=points)})
    return {"points": points, "rows": rows, "expected_s": expected_s, "limit_s": sizes.scale_limit_s}


def _sweep(program: Path, points: int, place: Place, *words: str, wanted: int) -> dict[str, Any]:
    swept = [f"x=range({points // _SEEDS})", f"seed=range({_SEEDS})"]
    cwd = place.folder()
    peak = PeakMemory()
    command = [sys.executable, str(program), "-m", *swept, *CONTENDERS["ours"].words, *words]
    seconds = run(command, place, cwd, watch=peak).seconds
    done = count_jobs(cwd)
    if done != wanted:
        raise BenchmarkError(f"{done} of {wanted} jobs ran: {' '.join(command)}")
    return {"jobs": wanted, "seconds": seconds, "mb": peak.mb}


def section(result: Mapping[str, Any]) -> list[str]:
    """The page's section, in Markdown."""
    points = result["points"]
    names = {
        "plan": f"all {points:,} planned, none run (`hydra.sweeper.dry_run=true`)",
        "probe": "of all points the first run (`hydra.sweeper.max_jobs`)",
        "all": f"all {points:,} planned and run",
    }
    rows = [
        [
            names[row["what"]],
            f"{row['jobs']:,}",
            f"{number(row['seconds'])} s",
            f"{number(1000 * row['seconds'] / (row['jobs'] or points))} ms",
            f"{number(row['mb'])} MB",
        ]
        for row in result["rows"]
    ]
    lines = [
        f"`x=range({points // _SEEDS}) seed=range({_SEEDS})`, the trivial application, {PROCESSES} at a time; n=1 "
        "each. Whole commands; the memory is the peak of the controller alone.",
        "",
        *table(["", "jobs run", "wall time", "a point", "controller"], rows),
    ]
    if len(result["rows"]) == 2:
        lines += [
            f"All of them were not run: from the first ones {number(result['expected_s'] / 60)} minutes were to be "
            f"expected, and the limit is {number(result['limit_s'] / 60)}.",
            "",
        ]
    return lines


def figures(result: Mapping[str, Any]) -> list[Figure]:
    """A sweep over 100,000 points works."""
    row = result["rows"][-1]
    return [
        Figure(
            what=f"a sweep over {result['points']:,} points",
            wanted="works",
            reached=f"{row['jobs']:,} jobs run in {number(row['seconds'])} s",
            is_met=row["what"] == "all",
        )
    ]
