"""Whether clients of the service slow a sweep: the same sweep with nobody looking and with many who do."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.apps import make_app
from benchmarks.commands import REPO, BenchmarkError, Place, count_jobs, end, module, run
from benchmarks.contenders import CONTENDERS
from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from benchmarks.stats import Series, number, table

TITLE = "The service"
_LIMIT = 1.1
_TOKEN = "of-a-benchmark-and-no-secret"
_PATIENCE_S = 60.0


def measure(sizes: Sizes, place: Place) -> dict[str, Any]:
    """Seconds of a sweep alone and beside clients, in turns, a server and its clients for each."""
    program = make_app("sleep", place.folder() / "app", seconds=sizes.serve_s)
    alone, looked_at, told = [], [], []
    for _ in range(sizes.serve_rounds):
        alone.append(_sweep(program, place, place.folder(), sizes.serve_jobs))
        cwd = place.folder()
        with _clients(place, cwd, sizes.serve_clients) as tally:
            looked_at.append(_sweep(program, place, cwd, sizes.serve_jobs))
        told.append(tally)
    return {
        "jobs": sizes.serve_jobs,
        "job_s": sizes.serve_s,
        "clients": sizes.serve_clients,
        "alone_s": alone,
        "looked_at_s": looked_at,
        "answers": [one["answers"] for one in told],
        "longest_s": [one["longest_s"] for one in told],
    }


def _sweep(program: Path, place: Place, cwd: Path, jobs: int) -> float:
    command = [sys.executable, str(program), "-m", f"x=range({jobs})", *CONTENDERS["ours"].words]
    seconds = run(command, place, cwd).seconds
    if (done := count_jobs(cwd)) != jobs:
        raise BenchmarkError(f"{done} of {jobs} jobs ran")
    return seconds


@contextmanager
def _clients(place: Place, cwd: Path, clients: int) -> Iterator[dict[str, Any]]:
    """A server over the folder, and its clients, while the block runs; after it what they were told."""
    token = cwd / "token"
    token.write_text(_TOKEN)
    token.chmod(0o600)
    tally: dict[str, Any] = {}
    said = cwd / "serve.log"
    with said.open("w") as output:
        server = subprocess.Popen(
            module("runyard", "serve", "--port", 0, "--token-file", token),
            cwd=cwd,
            env=place.environment(),
            stdout=output,
            start_new_session=True,
        )
    try:
        address = _address(said, server)
        asking = subprocess.Popen(
            module("benchmarks.clients", address, _TOKEN, clients),
            cwd=REPO,
            env=place.environment(),
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield tally
            asking.send_signal(signal.SIGTERM)
            tally |= json.loads(asking.communicate(timeout=_PATIENCE_S)[0])
        finally:
            end(asking)
    finally:
        end(server)
    if not tally["answers"] or tally["wrong"]:
        raise BenchmarkError(f"the clients got {tally['answers']} answers, {tally['wrong']} of them problems")


def _address(said: Path, server: subprocess.Popen[Any]) -> str:
    deadline = time.monotonic() + _PATIENCE_S
    while not (text := said.read_text()).startswith("http"):
        if server.poll() is not None or time.monotonic() > deadline:
            raise BenchmarkError(f"the server does not listen: {text}")
        time.sleep(0.05)
    return text.split()[0]


def _ratio(result: Mapping[str, Any]) -> Series:
    pairs = zip(result["looked_at_s"], result["alone_s"], strict=True)
    return Series.of([looked_at / alone for looked_at, alone in pairs])


def section(result: Mapping[str, Any]) -> list[str]:
    """The page's section, in Markdown."""
    rows = [
        ["nobody looks", Series.of(result["alone_s"]).text("s")],
        [f"{result['clients']} clients", Series.of(result["looked_at_s"]).text("s")],
        ["ratio, in pairs", _ratio(result).text()],
        ["answers to them", Series.of(result["answers"]).text()],
        ["the longest wait for a list and a log", Series.of(result["longest_s"]).text("s")],
    ]
    return [
        f"A sweep of {result['jobs']:,} jobs of {number(result['job_s'])} s, two at a time, by itself and while "
        "clients of `runyard serve` list sweeps and read the end of a job's log, each once a second. Server, clients "
        "and sweep share the machine.",
        "",
        *table(["", f"{result['jobs']:,} jobs"], rows),
    ]


def figures(result: Mapping[str, Any]) -> list[Figure]:
    """No more than a tenth longer."""
    ratio = _ratio(result)
    return [
        Figure(
            what=f"a sweep of {result['jobs']:,} jobs beside {result['clients']} clients",
            wanted=f"at most {_LIMIT} times as long",
            reached=ratio.text(),
            is_met=ratio.median <= _LIMIT,
        )
    ]
