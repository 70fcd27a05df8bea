"""Where a sweep's time goes: which process uses the processors, in which phase, and how far it is to the floor."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.apps import make_app
from benchmarks.commands import REPO, BenchmarkError, Cpu, Place, children_of, cpu_of, module, run
from benchmarks.contenders import CONTENDERS, PROCESSES
from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from benchmarks.stats import Series, table

TITLE = "Where the time goes"
_PHASES = {
    "start": "start: Python, Hydra, composing, planning, until the first job has its process",
    "run": "running: from then until the last job has ended",
    "end": "end: reading all records back; tables, figure, notes, registry",
}
_PARTS = {
    "controller": "the controller: plans, orders, journal, display, registry",
    "template": "the template: forks, reaps",
    "jobs": "the jobs' processes: from fork to end, with what the system does for them",
}
_FLOOR = {
    "fork": "a fork, an end and a wait, one after another",
    "fork2": f"the same, {PROCESSES} at a time",
    "files": "the files of a job written, one job after another, without a fork",
    "both": f"a fork that writes the files of a job, {PROCESSES} at a time",
}


@dataclass(slots=True)
class _Watch:
    """What the processes of a sweep have used, looked at again and again."""

    looks: list[tuple[float, Cpu]] = field(default_factory=list)
    children: dict[int, Cpu] = field(default_factory=dict)

    def __call__(self, pid: int) -> None:
        own = cpu_of(pid)
        if own is not None:
            self.looks.append((time.time(), own))
        for child in children_of(pid):
            found = cpu_of(child)
            if found is not None:
                self.children[child] = found

    def used(self, since: float, until: float) -> float:
        """Seconds of processor time that the controller itself has used between two moments."""
        return self._at(until) - self._at(since)

    def _at(self, moment: float) -> float:
        return min(self.looks, key=lambda look: abs(look[0] - moment))[1].own

    def template(self) -> Cpu:
        """The child that has had children of its own: the jobs."""
        return max(self.children.values(), key=lambda cpu: cpu.children)


def measure(sizes: Sizes, place: Place) -> dict[str, Any]:
    """A sweep of trivial jobs taken apart, and the floor measured with the files of one of its jobs."""
    costs = []
    cwd = place.folder()
    program = make_app("trivial", cwd / "app")
    for turn in range(sizes.cost_rounds):
        costs.append(_sweep(program, sizes.cost_jobs, place, cwd / f"turn-{turn}"))
    sample = next((cwd / "turn-0").glob("multirun/*/latest/0"))
    floor = {kind: _floor(kind, sample, sizes, place) for kind in ("small", "template")}
    return {"jobs": sizes.cost_jobs, "costs": costs, "floor": floor}


def _sweep(program: Path, jobs: int, place: Place, cwd: Path) -> dict[str, Any]:
    cwd.mkdir()
    watch = _Watch()
    command = [sys.executable, str(program), "-m", f"x=range({jobs})", *CONTENDERS["ours"].words]
    ran = run(command, place, cwd, watch=watch)
    journal = next(cwd.glob("multirun/*/latest/journal.jsonl"))
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    first = _moment(next(event for event in events if event["event"] == "started"))
    last = _moment([event for event in events if event["event"] == "ended"][-1])
    template = watch.template()
    return {
        "wall_s": {
            "start": first - ran.started_at,
            "run": last - first,
            "end": ran.started_at + ran.seconds - last,
        },
        "cpu_s": {"controller": watch.used(first, last), "template": template.own, "jobs": template.children},
        "faults": template.children_faults,
    }


def _moment(event: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(event["t"].replace("Z", "+00:00")).timestamp()


def _floor(kind: str, sample: Path, sizes: Sizes, place: Place) -> dict[str, Any]:
    cwd = place.folder()
    command = module("benchmarks.bare", kind, sample, sizes.floor_times, sizes.floor_rounds)
    output = run(command, place, cwd, PYTHONPATH=str(REPO)).output
    found: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    if not found["files"]:
        raise BenchmarkError(f"the job in {sample} has no files")
    return found


def section(result: Mapping[str, Any]) -> list[str]:
    """The page's section, in Markdown."""
    jobs, costs, floor = result["jobs"], result["costs"], result["floor"]
    small, template = floor["small"], floor["template"]
    run_ms = _series(costs, "wall_s", "run", 1000 / jobs)
    both = Series.of(template["ms"]["both"])
    parts = {part: _series(costs, "cpu_s", part, 1000 / jobs) for part in _PARTS}
    faults = Series.of([cost["faults"] / jobs for cost in costs])
    busy = sum(series.median for series in parts.values()) / (PROCESSES * run_ms.median)
    floor_rows = [
        [text, Series.of(small["ms"][way]).text("ms"), Series.of(template["ms"][way]).text("ms")]
        for way, text in _FLOOR.items()
    ]
    return [
        f"A sweep of {jobs:,} trivial jobs, {PROCESSES} at a time, and how long its phases last.",
        "",
        *table(["phase", "wall time"], [[t, _series(costs, "wall_s", p, 1).text("s")] for p, t in _PHASES.items()]),
        f"While jobs run, one takes {run_ms.text('ms')} of wall time. The processors work on it in three kinds of "
        f"process, which together keep {PROCESSES} of them {100 * busy:.0f} % busy.",
        "",
        *table(["processor time, a job", ""], [[text, parts[part].text("ms")] for part, text in _PARTS.items()]),
        "The floor is what the system takes for the same processes and files when nothing else is done: the files are "
        f"the {template['files']} of one of these jobs, `run.json` written twice and renamed. A small interpreter has "
        f"{small['mb']:.0f} MB, one that has loaded what the template has {template['mb']:.0f} MB, and what is forked "
        "is its page tables. Every page that a forked process writes to is copied first, be it for the count of an "
        f"object's references: a job has {faults.text()} page faults, and to copy a page takes "
        f"{Series.of(template['us_a_page']).text('µs')}.",
        "",
        *table(["floor, a job", "from a small process", "from one like the template"], floor_rows),
        f"So a job takes {run_ms.median / both.median:.1f} times as long as the floor of {both.text('ms')}.",
        "",
    ]


def _series(costs: Sequence[Mapping[str, Any]], kind: str, part: str, factor: float) -> Series:
    return Series.of([cost[kind][part] * factor for cost in costs])


def figures(result: Mapping[str, Any]) -> list[Figure]:
    """None: it explains the others."""
    return []
