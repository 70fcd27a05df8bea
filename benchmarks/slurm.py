"""Sweeps on a real Slurm, of several nodes on this machine, beside hydra-submitit-launcher."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.apps import make_app
from benchmarks.commands import REPO, BenchmarkError, Place, run
from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from benchmarks.stats import Series, number, table

TITLE = "On Slurm"
WORKERS = 4
_SCRIPTS = REPO / "tests" / "slurm" / "cluster"
_MOST_TIMES_IDEAL, _LEAST_TIMES_PEER, _NOTICED_S, _CALLS, _SUBMIT_S, _CLAIM_MS = 1.6, 20.0, 5.0, 0.1, 20.0, 5.0


def measure(sizes: Sizes, place: Place) -> dict[str, Any]:
    """Starts a cluster, measures on it, and takes it down.

    Raises:
        BenchmarkError: no cluster can be had here, or a sweep failed.
    """
    with _cluster() as conf:
        program = make_app("sleep", place.folder() / "app", seconds=sizes.slurm_s)
        ours = [_ours(program, sizes, place, conf) for _ in range(sizes.slurm_rounds)]
        return {
            "jobs": sizes.slurm_jobs,
            "job_s": sizes.slurm_s,
            "makespan_s": [seconds for seconds, _ in ours],
            "calls_a_s": [calls for _, calls in ours],
            "peer_jobs": sizes.slurm_peer_jobs,
            "peer_s": _peer(program, sizes, place, conf),
            "submit_jobs": sizes.slurm_submit_jobs,
            "submit_s": [_submit(program, sizes, place, conf) for _ in range(sizes.slurm_rounds)],
            "noticed_s": [_death(program, place, conf) for _ in range(sizes.slurm_rounds)],
            "claim_ms": _claims(place),
        }


@contextlib.contextmanager
def _cluster() -> Iterator[str]:
    """The config of a cluster that lives as long as this."""
    up = subprocess.run([str(_SCRIPTS / "up")], capture_output=True, text=True, check=False)
    if up.returncode:
        raise BenchmarkError(f"no Slurm cluster can be started here:\n{up.stderr[-2000:]}")
    conf = up.stdout.strip().removeprefix("export SLURM_CONF=")
    folder = Path(conf).parent.parent
    try:
        yield conf
    finally:
        subprocess.run([str(_SCRIPTS / "down"), str(folder)], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _path() -> str:
    """Slurm's commands may lie where only the administrator looks."""
    return f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin:/sbin"


def _launch(program: Path, jobs: int, place: Place, conf: str, *words: str) -> tuple[Path, float]:
    """Submits a sweep of ours; returns its directory and the seconds that the command took."""
    cwd = place.folder()
    command = [sys.executable, str(program), "-m", f"x=range({jobs})", "+runyard=slurm"]
    words = (f"hydra.launcher.workers={WORKERS}", *words)
    seconds = run([*command, *words], place, cwd, SLURM_CONF=conf, PATH=_path()).seconds
    (folder,) = cwd.glob("multirun/*/*Z-*")
    return folder, seconds


def _ours(program: Path, sizes: Sizes, place: Place, conf: str) -> tuple[float, float]:
    """From the submission to the end of the last job, in seconds; and calls to Slurm a second meanwhile."""
    folder, _ = _launch(program, sizes.slurm_jobs, place, conf)
    calls, began = _watch(folder, conf)
    attempts = [json.loads((folder / str(job) / "run.json").read_text())["attempts"] for job in range(sizes.slurm_jobs)]
    if any(len(tries) != 1 or tries[0]["state"] != "COMPLETED" for tries in attempts):
        raise BenchmarkError("not every job of the sweep on Slurm completed at once")
    created = json.loads((folder / "sweep.json").read_text())["created_at"]
    return max(_moment(tries[0]["ended_at"]) for tries in attempts) - _moment(created), calls / began


def _watch(folder: Path, conf: str) -> tuple[int, float]:
    """Follows a sweep as 'runyard wait' does; returns how often Slurm was asked again, and for how many seconds."""
    with _environment(conf):
        from runyard.cluster import Observer

        observer, began = Observer(folder), time.monotonic()
        while observer.look().is_at_work:
            time.sleep(1.0)
        return observer.calls - 1, time.monotonic() - began


def _peer(program: Path, sizes: Sizes, place: Place, conf: str) -> float:
    """The whole command of hydra-submitit-launcher, with as many allocations at a time."""
    command = [sys.executable, str(program), "-m", f"x=range({sizes.slurm_peer_jobs})"]
    words = [
        "hydra/launcher=submitit_slurm",
        f"hydra.launcher.array_parallelism={WORKERS}",
        "hydra.launcher.timeout_min=60",
    ]
    return run([*command, *words], place, place.folder(), SLURM_CONF=conf, PATH=_path()).seconds


def _submit(program: Path, sizes: Sizes, place: Place, conf: str) -> float:
    """How long the command takes that submits many jobs; they are cancelled then."""
    _, seconds = _launch(program, sizes.slurm_submit_jobs, place, conf, "+hydra.launcher.begin=now+1hour")
    _scancel(conf)
    return seconds


def _death(program: Path, place: Place, conf: str) -> float:
    """From the SIGKILL of a worker's process until who watches the sweep sees that it is gone."""
    long = make_app("sleep", place.folder() / "app", seconds=60)
    folder, _ = _launch(long, WORKERS, place, conf)
    with _environment(conf):
        from runyard.cluster import Observer

        observer = Observer(folder)
        _until(lambda: sum(run.state.value == "RUNNING" for run in observer.look().status.runs) == WORKERS)
        part = sorted(folder.glob("journal/*_0.jsonl"))[0]
        pid = next(json.loads(line)["pid"] for line in part.read_text().splitlines() if '"worker"' in line)
        os.kill(pid, signal.SIGKILL)
        began = time.monotonic()
        _until(lambda: any(run.state.value == "LOST" for run in observer.look().status.runs))
        seconds = time.monotonic() - began
    _scancel(conf)
    return seconds


def _claims(place: Place) -> list[float]:
    """Milliseconds of each of many claims, in one folder of the local file system."""
    from runyard.record import Claims, Holder

    claims, taken = Claims(place.folder()), []
    for job in range(1000):
        began = time.perf_counter()
        claims.take(job, 1, Holder(worker="1_0"))
        taken.append(1000 * (time.perf_counter() - began))
    return sorted(taken)


def _until(condition: Any) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        if time.monotonic() > deadline:
            raise BenchmarkError("waited in vain on the cluster")
        time.sleep(0.2)


def _scancel(conf: str) -> None:
    with _environment(conf):
        subprocess.run(["scancel", "--me"], check=False)
        _until(lambda: not subprocess.run(["squeue", "-h"], capture_output=True, check=True).stdout)


@contextlib.contextmanager
def _environment(conf: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(SLURM_CONF=conf, PATH=_path())
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _moment(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def _ideal_s(result: Mapping[str, Any]) -> float:
    return float(result["jobs"] * result["job_s"] / WORKERS)


def _times_peer(result: Mapping[str, Any]) -> float:
    """The peer's seconds for as many jobs, if it goes on as it did, beside ours."""
    peer = result["peer_s"] * result["jobs"] / result["peer_jobs"]
    return float(peer / Series.of(result["makespan_s"]).median)


def section(result: Mapping[str, Any]) -> list[str]:
    """The page's section, in Markdown."""
    ours, ideal = Series.of(result["makespan_s"]), _ideal_s(result)
    rows = [
        ["ideal: jobs without anything between them", str(result["jobs"]), f"{number(ideal)} s", "1.00"],
        ["Runyard", str(result["jobs"]), ours.text("s"), number(ours.median / ideal)],
        [
            "hydra-submitit-launcher (the whole command)",
            str(result["peer_jobs"]),
            f"{number(result['peer_s'])} s (n=1)",
            number(result["peer_s"] / (result["peer_jobs"] * result["job_s"] / WORKERS)),
        ],
    ]
    claims, submit = Series.of(result["claim_ms"]), Series.of(result["submit_s"])
    return [
        f"A cluster of four nodes on this one machine (Debian's Slurm, with accounting), {WORKERS} allocations at a "
        f"time, jobs of {number(result['job_s'])} s. Ours is measured from the sweep's creation to "
        "the end of its last job.",
        "",
        *table(["launcher", "jobs", "makespan", "times the ideal"], rows),
        "",
        f"- the command that submits {result['submit_jobs']:,} jobs returns after {submit.text('s')}",
        f"- a worker that is killed is seen to be gone after {Series.of(result['noticed_s']).text('s')}",
        f"- to claim a job takes {claims.text('ms')} on the local file system",
        f"- who watches a sweep asks Slurm once, and then {Series.of(result['calls_a_s']).text('times a second')}",
    ]


def figures(result: Mapping[str, Any]) -> list[Figure]:
    """What issue and page promise of sweeps on Slurm."""
    ours, ideal = Series.of(result["makespan_s"]).median, _ideal_s(result)
    submit, noticed = Series.of(result["submit_s"]), Series.of(result["noticed_s"])
    claims, calls = Series.of(result["claim_ms"]), Series.of(result["calls_a_s"])
    return [
        Figure(
            what=f"makespan on Slurm of {result['jobs']} jobs of {number(result['job_s'])} s, {WORKERS} workers",
            wanted=f"within {_MOST_TIMES_IDEAL} times the ideal {number(ideal)} s",
            reached=f"{number(ours / ideal)} times",
            is_met=ours / ideal <= _MOST_TIMES_IDEAL,
        ),
        Figure(
            what="the same beside hydra-submitit-launcher with as many allocations, scaled to as many jobs",
            wanted=f"at least {_LEAST_TIMES_PEER:.0f} times shorter",
            reached=f"{number(_times_peer(result))} times",
            is_met=_times_peer(result) >= _LEAST_TIMES_PEER,
        ),
        Figure(
            what=f"submitting {result['submit_jobs']:,} jobs to Slurm",
            wanted=f"returns within {_SUBMIT_S:.0f} s",
            reached=submit.text("s"),
            is_met=submit.median <= _SUBMIT_S,
        ),
        Figure(
            what="a worker's death on Slurm is noticed",
            wanted=f"within {_NOTICED_S:.0f} s",
            reached=noticed.text("s"),
            is_met=noticed.median <= _NOTICED_S,
        ),
        Figure(
            what="calls to Slurm of who watches a sweep, after the first",
            wanted="under 1 in 10 s",
            reached=f"{number(10 * calls.median)} in 10 s",
            is_met=calls.median <= _CALLS,
        ),
        Figure(
            what="a claim of a job",
            wanted=f"under {_CLAIM_MS:.0f} ms",
            reached=claims.text("ms"),
            is_met=claims.median < _CLAIM_MS,
        ),
    ]
