"""Taking up a sweep in which nothing is left to do: how long until that is known."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.apps import make_app
from benchmarks.commands import BenchmarkError, Place, count_jobs, run, script
from benchmarks.contenders import CONTENDERS
from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from benchmarks.stats import Series, table

TITLE = "Resuming"
_LIMIT_S = 2.0
_WORDS = "nothing is left to run"


def measure(sizes: Sizes, place: Place) -> dict[str, Any]:
    """Runs a sweep, then resumes it several times: seconds until its words, and until its end."""
    cwd = place.folder()
    program = make_app("trivial", cwd / "app")
    jobs = sizes.resume_jobs
    run([sys.executable, str(program), "-m", f"x=range({jobs})", *CONTENDERS["ours"].words], place, cwd)
    done = count_jobs(cwd)
    if done != jobs:
        raise BenchmarkError(f"{done} of {jobs} jobs ran")
    spent = [_resume(place, cwd) for _ in range(sizes.resume_rounds)]
    return {"jobs": jobs, "known_s": [known for known, _ in spent], "ended_s": [ended for _, ended in spent]}


def _resume(place: Place, cwd: Path) -> tuple[float, float]:
    began = time.perf_counter()
    process = subprocess.Popen(
        [script("runyard"), "resume"],
        cwd=cwd,
        env=place.environment(PYTHONUNBUFFERED="1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    known, said = None, []
    for line in process.stdout or ():
        said.append(line)
        if _WORDS in line:
            known = time.perf_counter() - began
    if process.wait() != 0 or known is None:
        raise BenchmarkError(f"runyard resume ended with {process.returncode}: {''.join(said)[-2000:]}")
    return known, time.perf_counter() - began


def section(result: Mapping[str, Any]) -> list[str]:
    """The page's section, in Markdown."""
    rows = [
        [f"until it says that {_WORDS}", Series.of(result["known_s"]).text("s")],
        ["until its end: tables, figure and notes made anew", Series.of(result["ended_s"]).text("s")],
    ]
    return [
        f"`runyard resume`, from its start, on a sweep whose {result['jobs']:,} jobs are all COMPLETED. No peer can "
        "resume.",
        "",
        *table(["", f"{result['jobs']:,} finished jobs"], rows),
    ]


def figures(result: Mapping[str, Any]) -> list[Figure]:
    """Within two seconds."""
    known = Series.of(result["known_s"])
    return [
        Figure(
            what=f"resume recognises {result['jobs']:,} finished jobs",
            wanted=f"within {_LIMIT_S:.0f} s",
            reached=known.text("s"),
            is_met=known.median <= _LIMIT_S,
        )
    ]
