"""Composing alone: a job's config from its overrides, by Runyard and by Hydra's loader, in one process.

``python -m benchmarks.composing CONF_DIR POINTS PEER_POINTS ROUNDS`` measures, and prints JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.apps import LARGE_FILES, LARGE_KEYS, make_app
from benchmarks.commands import REPO, BenchmarkError, Place, module, run
from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from benchmarks.stats import Series, number, table

TITLE = "Composing alone"
_LEAST, _AIM = 40, 100
#: a point, in milliseconds, as that project's own page says.
HYDRA_FAST_MS = (2.5, 3.7)
_WAYS = {
    "hydra": "Hydra: `load_sweep_config`",
    "whole": "Runyard: the whole config, as Hydra's loader returns it",
    "job": "Runyard: what a sweep needs of a job (run key, folder, and the order from which its process makes it)",
}
_APPS = {"trivial": "3 keys", "large": f"{LARGE_FILES} files, {LARGE_KEYS} keys"}


def measure(sizes: Sizes, place: Place) -> dict[str, Any]:
    """Milliseconds a point, in rounds, for each application and way."""
    rows = []
    apps = place.folder()
    for app in _APPS:
        conf = make_app(app, apps / app).parent / "conf"
        points = (sizes.compose_points, sizes.compose_peer_points, sizes.compose_rounds)
        command = module("benchmarks.composing", conf, *points)
        cwd = place.folder()
        output = run(command, place, cwd, PYTHONPATH=str(REPO)).output
        rows.append({"app": app, "ms": json.loads(output.strip().splitlines()[-1])})
    return {"points": sizes.compose_points, "peer_points": sizes.compose_peer_points, "rows": rows}


def main(conf: str, points: int, peer_points: int, rounds: int) -> dict[str, list[float]]:
    """Measures in this process: in each round all ways, each with points of its own."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.types import RunMode

    from runyard.compose import Composer, is_same_config

    with initialize_config_dir(conf, version_base=None):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration("config", [], run_mode=RunMode.MULTIRUN)
        composer = Composer(master, loader)
        lines = _points()

        def job(line: Sequence[str]) -> None:
            composed = composer.job(line)
            composed.run_key()
            composed.output_dir(1)
            composed.order(1, "/tmp/1")

        ways: dict[str, tuple[Callable[[Sequence[str]], Any], int]] = {
            "hydra": (lambda line: loader.load_sweep_config(master, list(line)), peer_points),
            "whole": (composer.compose, points),
            "job": (job, points),
        }
        first = next(lines)
        if not is_same_config(composer.compose(first), loader.load_sweep_config(master, list(first))):
            raise BenchmarkError("the two configs differ")
        job(first)
        spent: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, (compose, count) in ways.items():
                spent[way].append(_milliseconds(compose, [next(lines) for _ in range(count)]))
    return spent


def _points() -> Iterator[list[str]]:
    """Overrides of three values, as a sweep's jobs have them; no two points are the same."""
    number_ = 0
    while True:
        yield [f"x={number_}", f"seed={number_ % 10}", f"lr={0.001 * (number_ % 50 + 1):.3f}"]
        number_ += 1


def _milliseconds(compose: Callable[[Sequence[str]], Any], lines: Sequence[Sequence[str]]) -> float:
    began = time.perf_counter()
    for line in lines:
        compose(line)
    return 1000 * (time.perf_counter() - began) / len(lines)


def section(result: Mapping[str, Any]) -> list[str]:
    """The page's section, in Markdown."""
    rows = []
    for row in result["rows"]:
        hydra = Series.of(row["ms"]["hydra"]).median
        for way, name in _WAYS.items():
            series = Series.of(row["ms"][way])
            rows.append([name, _APPS[row["app"]], series.text("ms"), number(hydra / series.median)])
    low, high = HYDRA_FAST_MS
    return [
        f"Points of three values each, no two alike, in one process, in turns: {result['points']:,} points a round, "
        f"{result['peer_points']:,} for Hydra. Both configs are compared first. (hydra-fast names {low} to {high} ms a "
        "point for itself; it was not measured here.)",
        "",
        *table(["way", "application", "a point", "times faster"], rows),
    ]


def figures(result: Mapping[str, Any]) -> list[Figure]:
    """At least 40 times faster."""
    found = []
    for row in result["rows"]:
        hydra, whole, job = (Series.of(row["ms"][way]).median for way in ("hydra", "whole", "job"))
        found.append(
            Figure(
                what=f"composing beside `load_sweep_config`, {row['app']} application",
                wanted=f"at least {_LEAST} times faster (aim: {_AIM})",
                reached=f"{number(hydra / job)} times faster for what a job needs, {number(hydra / whole)} times for a "
                "whole config",
                is_met=hydra / job >= _LEAST,
            )
        )
    return found


if __name__ == "__main__":
    print(json.dumps(main(str(Path(sys.argv[1]).resolve()), *map(int, sys.argv[2:]))))
