"""How long a user waits until the first job of a large sweep begins."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.apps import make_app
from benchmarks.commands import BenchmarkError, Place, end, start
from benchmarks.contenders import CONTENDERS, Contender, present
from benchmarks.figures import Figure
from benchmarks.launchers import in_turns
from benchmarks.sizes import Sizes
from benchmarks.stats import Series, table

TITLE = "Until the first job begins"
_LIMIT_S = 2.0
_PATIENCE_S = 3600.0


def measure(sizes: Sizes, place: Place) -> dict[str, Any]:
    """Starts sweeps and stops them as soon as a job has begun; the job writes down when that was."""
    contenders = present(place.ray_python)
    seconds: dict[str, list[float]] = {}
    apps = place.folder()
    program = make_app("first", apps / "app")
    for key in in_turns({key: n for key, n in sizes.first_rounds.items() if key in contenders}):
        seconds.setdefault(key, []).append(_until_first(program, contenders[key], sizes.first_jobs, place))
    return {"jobs": sizes.first_jobs, "seconds": seconds}


def _until_first(program: Path, contender: Contender, jobs: int, place: Place) -> float:
    cwd = place.folder()
    mark = cwd / "first-job"
    command = [contender.python, str(program), "-m", f"x=range({jobs})", *contender.words]
    began = time.time()
    process = start(command, place, cwd, BENCH_MARK=str(mark))
    try:
        while not (mark.exists() and mark.read_text().endswith("\n")):
            if process.poll() is not None or time.time() - began > _PATIENCE_S:
                raise BenchmarkError(f"no job began: {' '.join(command)}")
            time.sleep(0.005)
    finally:
        end(process)
    return float(mark.read_text()) - began


def section(result: Mapping[str, Any]) -> list[str]:
    """The page's section, in Markdown."""
    rows = [[CONTENDERS[key].name, Series.of(values).text("s")] for key, values in result["seconds"].items()]
    return [
        f"From the start of the command, `python app.py -m 'x=range({result['jobs']})'`, to the first line of the "
        "first task. Hydra's basic sweeper composes all jobs before it hands them to any launcher, so the other "
        "launchers begin no earlier than it does.",
        "",
        *table(["launcher", f"first of {result['jobs']:,} jobs"], rows),
    ]


def figures(result: Mapping[str, Any]) -> list[Figure]:
    """Within two seconds."""
    ours = Series.of(result["seconds"]["ours"])
    return [
        Figure(
            what=f"first job of {result['jobs']:,} begins",
            wanted=f"within {_LIMIT_S:.0f} s",
            reached=ours.text("s"),
            is_met=ours.median <= _LIMIT_S,
        )
    ]
