"""The registry at scale: lists, queries, loading and indexing, beside what one would write by hand and MLflow."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.commands import BenchmarkError, Place, run, script
from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from benchmarks.stats import Series, table
from runyard.base import State, SweepState, compact_json
from runyard.record import Attempt, PlanRow, RunRecord, SweepPaths, SweepRecord, write_plan, write_run, write_sweep
from runyard.registry import Registry

TITLE = "The registry"
_CONDITION = "metrics.savings > 2 and params.d == 20"
_JOBS = 1000  # of a sweep
_AT = "2026-01-31T12:00:00.000Z"
#: runs in the registry, run directories, directories that are walked by hand and runs of MLflow's store, and rounds.
_SIZES = {"full": (100_000, 20_000, 2_000, 500, 5), "quick": (20_000, 4_000, 500, 100, 3), "tiny": (40, 20, 10, 4, 1)}


def measure(sizes: Sizes, place: Place) -> dict[str, Any]:
    """Makes sweeps as the record's own writers do, and asks for them with the commands, each in its own process."""
    runs, dirs, walked, peer, rounds = _SIZES[sizes.name]
    cwd = place.folder()
    root = cwd / "multirun"
    _make_sweeps(root, runs, with_files=False)
    Registry(root).reindex()
    asked = {
        "ls": ["ls"],
        "query": ["query", _CONDITION],
        "query20": ["query", _CONDITION, "--limit", "20"],
        "sorted": ["query", _CONDITION, "--sort", "-metrics.savings", "--limit", "20"],
    }
    result: dict[str, Any] = {"runs": runs, "dirs": dirs, "walked": walked, "peer": peer}
    result["start_s"] = _times(rounds, lambda: run([sys.executable, "-c", "pass"], place, cwd).seconds)
    for name, words in asked.items():
        result[f"{name}_s"] = _times(rounds, lambda words=words: run([script("runyard"), *words], place, cwd).seconds)
    result["load_s"] = _times(rounds, lambda: _told_seconds(_LOAD, place, cwd))
    other = place.folder()
    _make_sweeps(other / "multirun", dirs, with_files=True)
    result["reindex_s"] = [_timed(lambda: Registry(other / "multirun").reindex(full=True)) for _ in range(rounds)]
    result["again_s"] = [_timed(lambda: Registry(other / "multirun").reindex()) for _ in range(rounds)]
    result["by_hand_s"] = _by_hand(place, walked, rounds)
    result["mlflow"] = _mlflow(place, peer, rounds)
    return result


_LOAD = """
import time
from pathlib import Path
import pandas
from runyard.registry import runs_frame
began = time.perf_counter()
frame = runs_frame([Path("multirun")])
print(time.perf_counter() - began, len(frame))
"""

_BY_HAND = """
import json, sys, time
from pathlib import Path
import pandas, yaml
began = time.perf_counter()
rows = []
for path in sorted(Path("plain").glob("*/*/.hydra/config.yaml")):
    config = yaml.load(path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    metrics = json.loads((path.parent.parent / "metrics.json").read_text())
    rows.append({**config, **metrics})
frame = pandas.DataFrame(rows)
found = frame[(frame.savings > 2) & (frame.d == 20)]
print(time.perf_counter() - began, len(frame))
"""

_MLFLOW = """
import os, random, sys, time
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # since version 3 it refuses its file store without
import mlflow
from mlflow.tracking import MlflowClient
runs = int(sys.argv[1])
mlflow.set_tracking_uri("file:store")
client = MlflowClient()
experiment = client.create_experiment("dispatch")
for n in range(runs):
    run = client.create_run(experiment)
    for name, value in {"d": n % 3 * 10 + 10, "gamma": 0.5, "seed": n % 5}.items():
        client.log_param(run.info.run_id, name, value)
    for name in ("savings", "pairs", "ratio_lp"):
        client.log_metric(run.info.run_id, name, random.random() * 3)
    client.set_terminated(run.info.run_id)
spent = []
for _ in range(int(sys.argv[2])):
    began = time.perf_counter()
    found = mlflow.search_runs([experiment], "metrics.savings > 2 and params.d = '20'", max_results=runs)
    spent.append(time.perf_counter() - began)
print(mlflow.__version__, *spent)
"""


def _make_sweeps(root: Path, runs: int, *, with_files: bool) -> None:
    """Sweeps of a thousand jobs, whose ends stand in their journals, or with ``with_files`` in ``run.json``."""
    draw = random.Random(7)
    left, n = runs, 0
    while left > 0:
        jobs = min(left, _JOBS)
        sweep_id = f"2026{n // 28 % 12 + 1:02}{n % 28 + 1:02}T120000Z-{n:07x}"
        sweep_dir = root / f"dispatch_{n % 5}" / sweep_id
        sweep_dir.mkdir(parents=True)
        records = [_a_run(sweep_dir, sweep_id, job, draw) for job in range(jobs)]
        _write(sweep_dir, sweep_id, f"dispatch_{n % 5}", records, with_files=with_files)
        left, n = left - jobs, n + 1


def _a_run(sweep_dir: Path, sweep_id: str, job: int, draw: random.Random) -> RunRecord:
    params = {"d": draw.choice([10, 20, 30]), "dispatch.gamma": draw.choice([0.25, 0.5, 1.0]), "seed": job % 5}
    metrics = {"savings": draw.random() * 3, "pairs": draw.randrange(50), "ratio_lp": draw.random(), "loss/final": 0.25}
    attempt = Attempt(n=1, state=State.COMPLETED, started_at=_AT, host="node1", pid=77, seconds=1.5)
    return RunRecord(
        sweep_id=sweep_id,
        job=job,
        run_key=f"1-{draw.getrandbits(256):064x}",
        state=State.COMPLETED,
        overrides=tuple(f"{key}={value}" for key, value in params.items()),
        params=params,
        run_dir=str(sweep_dir / str(job)),
        metrics=metrics,
        attempts=(attempt,),
        seconds=1.5,
        provenance={"git": {"sha": "a" * 40}},
    )


def _write(sweep_dir: Path, sweep_id: str, experiment: str, runs: list[RunRecord], *, with_files: bool) -> None:
    names = list(runs[0].params)
    rows = [
        PlanRow(job=r.job, run_key=r.run_key, run_dir=str(r.job), values={k: str(v) for k, v in r.params.items()})
        for r in runs
    ]
    write_plan(SweepPaths(sweep_dir).plan_csv, rows, names)
    if with_files:
        for one in runs:
            Path(one.run_dir).mkdir()
            write_run(one)
    else:
        lines = [compact_json({"t": _AT, "event": "ended", "job": r.job, "run": r.to_json()}) for r in runs]
        SweepPaths(sweep_dir).journal.write_text("".join(f"{line}\n" for line in lines))
    record = SweepRecord(
        sweep_id=sweep_id,
        experiment=experiment,
        state=SweepState.COMPLETED,
        command=("python", "-m", "app", "-m", "d=10,20,30"),
        cwd=".",
        overrides=("d=10,20,30",),
        launcher="runyard_local",
        created_at=f"{sweep_id[:4]}-{sweep_id[4:6]}-{sweep_id[6:8]}T12:00:00.000Z",
        counts={State.COMPLETED.value: len(runs)},
        provenance={"git": {"sha": "a" * 40, "branch": "main", "dirty": False}},
    )
    write_sweep(sweep_dir, replace(record, finished_at=record.created_at))


def _times(rounds: int, once: Callable[[], float]) -> list[float]:
    return [once() for _ in range(rounds)]


def _timed(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def _told_seconds(program: str, place: Place, cwd: Path) -> float:
    return float(run([sys.executable, "-c", program], place, cwd).output.split()[0])


def _by_hand(place: Place, walked: int, rounds: int) -> list[float]:
    """Plain Hydra directories, each with its config and a ``metrics.json``, walked with YAML and pandas."""
    cwd, draw = place.folder(), random.Random(7)
    for n in range(walked):
        folder = cwd / "plain" / f"sweep{n // _JOBS}" / str(n % _JOBS)
        (folder / ".hydra").mkdir(parents=True)
        config = (
            f"d: {draw.choice([10, 20, 30])}\ndispatch:\n  gamma: 0.5\n  shadow: pb\nseed: {n % 5}\nwith_opt: false\n"
        )
        (folder / ".hydra" / "config.yaml").write_text(config)
        (folder / "metrics.json").write_text(json.dumps({"savings": draw.random() * 3, "pairs": 3, "ratio_lp": 0.5}))
    return _times(rounds, lambda: _told_seconds(_BY_HAND, place, cwd))


def _mlflow(place: Place, peer: int, rounds: int) -> dict[str, Any] | None:
    """Seconds of ``search_runs`` in MLflow's file store, and its version; None where MLflow is not installed."""
    there = subprocess.run([sys.executable, "-c", "import mlflow"], capture_output=True, check=False)
    if there.returncode != 0:
        return None
    cwd = place.folder()
    try:
        output = run([sys.executable, "-W", "ignore", "-c", _MLFLOW, str(peer), str(rounds)], place, cwd).output
    except BenchmarkError as error:
        return {"error": str(error).strip().splitlines()[-1][:200]}
    version, *spent = output.strip().splitlines()[-1].split()
    return {"seconds": [float(seconds) for seconds in spent], "version": version}


def section(result: Mapping[str, Any]) -> list[str]:
    """The page's section, in Markdown."""
    start = Series.of(result["start_s"])
    asked = [
        ["`runyard ls`", "ls_s"],
        [f'`runyard query "{_CONDITION}"`, all of it', "query_s"],
        ["the same, `--limit 20`", "query20_s"],
        ["the same, `--sort -metrics.savings --limit 20`", "sorted_s"],
    ]
    runs, dirs = f"{result['runs']:,} runs", f"{result['dirs']:,} run directories"
    rows = [[words, runs, Series.of(result[key]).text("s")] for words, key in asked]
    rows += [
        ["all runs into a DataFrame (`runs_frame`)", runs, Series.of(result["load_s"]).text("s")],
        ["reindex, every file read", dirs, Series.of(result["reindex_s"]).text("s")],
        ["reindex, nothing has changed", dirs, Series.of(result["again_s"]).text("s")],
    ]
    per = Series.of(result["by_hand_s"]).scaled(1e6 / result["walked"])
    peers = [["walking directories with YAML (C parser) and pandas", f"{result['walked']:,}", per.text()]]
    mlflow = result["mlflow"]
    if mlflow is not None and "seconds" in mlflow:
        each = Series.of(mlflow["seconds"]).scaled(1e6 / result["peer"])
        peers.append(
            [f"MLflow {mlflow['version']}, `search_runs` in its file store", f"{result['peer']:,}", each.text()]
        )
    ours = Series.of(result["query_s"]).scaled(1e6 / result["runs"])
    peers.append(["`runyard query`, the whole command", f"{result['runs']:,}", ours.text()])
    return [
        f"Sweeps of {_JOBS:,} jobs with three parameters and four metrics. Commands are measured from the start of "
        f"their process to its end; Python alone takes {start.text('s')} of that.",
        "",
        *table(["", "over", "took"], rows),
        "The same question, asked of what lies on disk without a registry. Each kind at a size that takes seconds; it "
        "grows with the number of runs.",
        "",
        *table(["", "runs", "microseconds a run"], peers),
        *_without(mlflow),
    ]


def _without(mlflow: Mapping[str, Any] | None) -> list[str]:
    if mlflow is None:
        return ["MLflow is not installed in the environment of this run, and left out.", ""]
    return [f"MLflow could not be measured: {mlflow['error']}", ""] if "error" in mlflow else []


def figures(result: Mapping[str, Any]) -> list[Figure]:
    """What the registry is to reach."""
    start = Series.of(result["start_s"]).median
    runs, dirs = f"{result['runs']:,} runs", f"{result['dirs']:,} run directories"
    wanted = [
        (f"`runyard ls`, {runs}, over Python's start", "ls_s", start, 0.3),
        (f"a filtered `runyard query`, {runs}, over Python's start", "query20_s", start, 0.3),
        (f"{runs} into a DataFrame", "load_s", 0.0, 1.5),
        (f"reindex of {dirs}", "reindex_s", 0.0, 20.0),
        ("the same with nothing changed", "again_s", 0.0, 1.0),
    ]
    found = []
    for what, key, less, limit in wanted:
        series = Series(tuple(value - less for value in result[key]))
        found.append(
            Figure(what=what, wanted=f"under {limit:g} s", reached=series.text("s"), is_met=series.median < limit)
        )
    return found
