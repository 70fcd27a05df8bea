"""What a launcher adds to a job that takes a second."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.apps import make_app
from benchmarks.commands import BenchmarkError, Place
from benchmarks.contenders import CONTENDERS, PROCESSES, Contender, present
from benchmarks.figures import Figure
from benchmarks.launchers import in_turns, sweep_seconds
from benchmarks.sizes import Sizes
from benchmarks.stats import Series, number, table

TITLE = "A job that takes a second"
_LIMIT_PERCENT = 1.0


def measure(sizes: Sizes, place: Place) -> dict[str, Any]:
    """Sweeps of jobs that sleep, as many at a time as there are processes: the whole command, and the jobs alone."""
    contenders = present(place.ray_python)
    spent: dict[str, list[tuple[float, float]]] = {}
    program = make_app("timed", place.folder() / "app", seconds=sizes.second_s)
    for key in in_turns({key: n for key, n in sizes.second_rounds.items() if key in contenders}):
        spent.setdefault(key, []).append(_sweep(program, contenders[key], sizes.second_jobs, place))
    return {"jobs": sizes.second_jobs, "job_s": sizes.second_s, "seconds": spent}


def _sweep(program: Path, contender: Contender, jobs: int, place: Place) -> tuple[float, float]:
    """Seconds of the whole command, and from the first begin of a sleep to the last end of one."""
    mark = place.folder() / "mark"
    whole = sweep_seconds(program, contender, jobs, place, BENCH_MARK=str(mark))
    times = [tuple(float(word) for word in line.split()) for line in mark.read_text().splitlines()]
    if len(times) != jobs:
        raise BenchmarkError(f"{len(times)} of {jobs} jobs of {contender.name} said when they ran")
    return whole, max(end for _, end in times) - min(begin for begin, _ in times)


def _overhead_percent(result: Mapping[str, Any], key: str) -> Series:
    """What lies between the end of a sleep and the begin of the next, in percent of one."""
    rounds, job_s = result["jobs"] / PROCESSES, result["job_s"]
    return Series.of([100 * (jobs_s - rounds * job_s) / ((rounds - 1) * job_s) for _, jobs_s in result["seconds"][key]])


def _once_s(result: Mapping[str, Any], key: str) -> Series:
    """What a whole command takes before the first sleep and after the last."""
    return Series.of([whole_s - jobs_s for whole_s, jobs_s in result["seconds"][key]])


def section(result: Mapping[str, Any]) -> list[str]:
    """The page's section, in Markdown."""
    jobs, job_s = result["jobs"], number(result["job_s"])
    rows = [
        [CONTENDERS[key].name, _overhead_percent(result, key).text("%"), _once_s(result, key).text("s")]
        for key in result["seconds"]
    ]
    return [
        f"A sweep of {jobs} jobs that sleep for {job_s} s, {PROCESSES} at a time; each says when its sleep began and "
        "ended. Between the end of one and the begin of the next lies all that a launcher adds: to end a job, record "
        "it, start the next and set up what that one finds. A whole command takes more before the first and after the "
        "last: start, composing, the end.",
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
