"""What a launcher adds to a job that takes a second."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.apps import make_app
from benchmarks.commands import Place
from benchmarks.contenders import CONTENDERS, PROCESSES, present
from benchmarks.figures import Figure
from benchmarks.launchers import in_turns, sweep_seconds
from benchmarks.sizes import Sizes
from benchmarks.stats import Series, number, table

TITLE = "A job that takes a second"
_LIMIT_PERCENT = 1.0


def measure(sizes: Sizes, place: Place) -> dict[str, Any]:
    """Seconds of a smaller and a larger sweep of jobs that sleep, two at a time, in turns."""
    contenders, few_many = present(place.ray_python), sizes.second_jobs
    spent: dict[str, list[tuple[float, ...]]] = {}
    apps = place.folder()
    program = make_app("sleep", apps / "app", seconds=sizes.second_s)
    for key in in_turns({key: n for key, n in sizes.second_rounds.items() if key in contenders}):
        pair = tuple(sweep_seconds(program, contenders[key], jobs, place) for jobs in few_many)
        spent.setdefault(key, []).append(pair)
    return {"jobs": list(few_many), "job_s": sizes.second_s, "seconds": spent}


def _overhead_percent(result: Mapping[str, Any], key: str) -> Series:
    """What is added to each further job; what a sweep costs once falls out."""
    few, many = result["jobs"]
    ideal = result["job_s"] * (many - few) / PROCESSES
    return Series.of([100 * ((large - small) / ideal - 1) for small, large in result["seconds"][key]])


def _once_s(result: Mapping[str, Any], key: str) -> Series:
    """What a whole command takes beyond its jobs, the larger sweep."""
    ideal = result["job_s"] * result["jobs"][1] / PROCESSES
    return Series.of([large - ideal for _, large in result["seconds"][key]])


def section(result: Mapping[str, Any]) -> list[str]:
    """The page's section, in Markdown."""
    few, many = result["jobs"]
    rows = [
        [CONTENDERS[key].name, _overhead_percent(result, key).text("%"), _once_s(result, key).text("s")]
        for key in result["seconds"]
    ]
    return [
        f"Jobs that sleep for {number(result['job_s'])} s, {PROCESSES} at a time. A sweep of {few} and one of {many} "
        f"jobs: by how much the difference is longer than {(many - few) // PROCESSES} times the sleep, and what the "
        f"whole command of {many} jobs takes beyond its jobs (start, composing, the end).",
        "",
        *table(["launcher", "added to each job", "beyond the jobs, once"], rows),
    ]


def figures(result: Mapping[str, Any]) -> list[Figure]:
    """Less than one percent."""
    ours = _overhead_percent(result, "ours")
    return [
        Figure(
            what=f"overhead on a job of {number(result['job_s'])} s",
            wanted=f"under {_LIMIT_PERCENT:.0f} %",
            reached=ours.text("%"),
            is_met=ours.median < _LIMIT_PERCENT,
        )
    ]
