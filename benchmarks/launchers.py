"""Wall time per job: every launcher on the same applications, in turns, each time as a whole command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.apps import make_app
from benchmarks.commands import BenchmarkError, Place, count_jobs, run
from benchmarks.contenders import CONTENDERS, Contender, absent, present
from benchmarks.figures import Figure
from benchmarks.sizes import Load, Rounds, Sizes
from benchmarks.stats import Series, number, table

TITLE = "Wall time per job"
_LEAST, _AIM = 40, 100
_APPS = {
    "trivial": "a config file of three keys",
    "large": "25 config files, 400 keys",
    "heavy": "three keys, and libraries that are imported at its start",
}


def measure(sizes: Sizes, place: Place) -> dict[str, Any]:
    """Runs each load in rounds, A B C A B C; seconds of each whole command."""
    contenders = present(place.ray_python)
    apps = place.folder()
    programs = {app: make_app(app, apps / app, imports=sizes.imports) for app in {load.app for load in sizes.loads}}
    for load in sizes.loads:
        for key in [key for key in load.rounds if key in contenders]:
            sweep_seconds(programs[load.app], contenders[key], 1, place)  # compiles and caches what there is
    return {
        "imports": [name for name in sizes.imports if any(load.app == "heavy" for load in sizes.loads)],
        "absent": absent(contenders),
        "versions": {key: contender.version for key, contender in contenders.items()},
        "loads": [_measure_load(load, programs[load.app], contenders, place) for load in sizes.loads],
    }


def _measure_load(load: Load, program: Path, contenders: Mapping[str, Contender], place: Place) -> dict[str, Any]:
    seconds: dict[str, list[float]] = {}
    for key in in_turns({key: n for key, n in load.rounds.items() if key in contenders}):
        seconds.setdefault(key, []).append(sweep_seconds(program, contenders[key], load.jobs, place))
        print(f"  {load.app}, {load.jobs} jobs, {contenders[key].name}: {seconds[key][-1]:.2f} s", flush=True)
    return {"app": load.app, "jobs": load.jobs, "seconds": seconds}


def in_turns(rounds: Rounds) -> Iterator[str]:
    """Each contender once, then again those that have rounds left."""
    for turn in range(max(rounds.values(), default=0)):
        yield from (key for key, wanted in rounds.items() if turn < wanted)


def sweep_seconds(program: Path, contender: Contender, jobs: int, place: Place, **extra: str) -> float:
    """How long a sweep of that many jobs takes, from the start of its command to its end.

    ``extra`` are variables of its environment.

    Raises:
        BenchmarkError: it failed, or did not run every job.
    """
    cwd = place.folder()
    command = [contender.python, str(program), "-m", f"x=range({jobs})", *contender.words]
    seconds = run(command, place, cwd, **extra).seconds
    done = count_jobs(cwd)
    if done != jobs:
        raise BenchmarkError(f"{contender.name} ran {done} of {jobs} jobs: {' '.join(command)}")
    return seconds


def section(result: Mapping[str, Any]) -> list[str]:
    """The page's section, in Markdown."""
    lines = [
        "The same command line for all, `python app.py -m 'x=range(N)'`, and the words that choose the launcher. "
        "Timed is the whole command, with the start of Python, composing, and what it does at its end. All run in "
        "turns, with Hydra's own logging. A job returns a number and does nothing else.",
        "",
        *(
            f"- **{CONTENDERS[key].name}** {found}: {CONTENDERS[key].note}."
            for key, found in result["versions"].items()
        ),
        "",
    ]
    if result["absent"]:
        lines += [f"Not measured, because it cannot be had here: {', '.join(result['absent'])}.", ""]
    for load in result["loads"]:
        lines += _load_lines(load, result["imports"])
    return lines


def _load_lines(load: Mapping[str, Any], imports: list[str]) -> list[str]:
    jobs, series = load["jobs"], {key: Series.of(values) for key, values in load["seconds"].items()}
    ours = series["ours"].median
    about = f"{_APPS[load['app']]} ({', '.join(imports)})" if load["app"] == "heavy" else _APPS[load["app"]]
    rows = [
        [
            CONTENDERS[key].name,
            series[key].text("s"),
            series[key].scaled(1000 / jobs).text("ms"),
            number(series[key].median / ours),
        ]
        for key in series
    ]
    head = ["launcher", "whole command", "per job", "times ours"]
    return [f"### {jobs:,} jobs of the {load['app']} application: {about}", "", *table(head, rows)]


def figures(result: Mapping[str, Any]) -> list[Figure]:
    """At least 40 times less than Hydra's basic launcher."""
    found = []
    for load in result["loads"]:
        if load["jobs"] < 1000 or "basic" not in load["seconds"]:
            continue
        basic, ours = (Series.of(load["seconds"][key]).median for key in ("basic", "ours"))
        found.append(
            Figure(
                what=f"wall time per job beside Hydra basic, {load['jobs']:,} jobs, {load['app']} application",
                wanted=f"at least {_LEAST} times less (aim: {_AIM})",
                reached=f"{number(basic / ours)} times less "
                f"({number(1000 * ours / load['jobs'])} ms against {number(1000 * basic / load['jobs'])} ms)",
                is_met=basic / ours >= _LEAST,
            )
        )
    return found
