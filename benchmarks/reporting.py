"""The report of a sweep of a thousand jobs: how long it takes, and how large its page is."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.apps import make_app
from benchmarks.commands import BenchmarkError, Place, count_jobs, run, script
from benchmarks.contenders import CONTENDERS
from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from benchmarks.stats import Series, table

TITLE = "Reports"
_XS, _LRS = 20, 10
_LIMIT_S = 10.0


def measure(sizes: Sizes, place: Place) -> dict[str, Any]:
    """Runs a sweep over two axes and seeds, then makes its report several times, each in a process of its own."""
    cwd = place.folder()
    program = make_app("metrics", cwd / "app")
    xs = _XS if sizes.report_seeds > 1 else 2
    words = [f"x=range({xs})", f"lr=range(1,{_LRS + 1})", f"hydra.sweeper.seeds={sizes.report_seeds}"]
    run([sys.executable, str(program), "-m", *words, *CONTENDERS["ours"].words], place, cwd)
    jobs = xs * _LRS * sizes.report_seeds
    if count_jobs(cwd) != jobs:
        raise BenchmarkError(f"{count_jobs(cwd)} of {jobs} jobs ran")
    spent = [run([script("runyard"), "report"], place, cwd).seconds for _ in range(sizes.report_rounds)]
    pages = sorted((cwd / "multirun").rglob("report.html"))
    if not pages:
        raise BenchmarkError("no report.html was written")
    return {"jobs": jobs, "report_s": spent, "page_bytes": pages[0].stat().st_size}


def section(result: Mapping[str, Any]) -> list[str]:
    """The page's section, in Markdown."""
    rows = [
        ["`runyard report`, the whole command", Series.of(result["report_s"]).text("s")],
        ["report.html, plotly's program included", f"{result['page_bytes'] / 1e6:.1f} MB"],
    ]
    return [
        "A sweep over two axes and seeds; each job has three metrics and a log of twenty lines. The command makes the "
        "page, its Markdown and its figures. No peer makes a report of a sweep.",
        "",
        *table(["", f"{result['jobs']:,} jobs"], rows),
    ]


def figures(result: Mapping[str, Any]) -> list[Figure]:
    """Under ten seconds."""
    spent = Series.of(result["report_s"])
    return [
        Figure(
            what=f"report of a sweep of {result['jobs']:,} jobs",
            wanted=f"under {_LIMIT_S:.0f} s",
            reached=spent.text("s"),
            is_met=spent.median < _LIMIT_S,
        )
    ]
