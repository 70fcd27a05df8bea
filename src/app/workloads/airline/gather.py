"""Gather: the trials of a sweep in one file, and the attack success rate by seed and pooled. Reads documented files."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from runyard import UsageError

from .config import UNSEEDED

TRIALS_FILE = "trials.jsonl"
ASR_FILE = "asr.csv"
COLUMNS = (
    *("exp", "mode", "seed", "trials", "successes", "asr", "asr_low", "asr_high"),
    *("config_hash", "git_sha", "run_time_s", "note"),
)
POOLED = "pooled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A completed job. ``config_hash`` is that of its settings without the seed; ``rows`` are its trials."""

    job: int
    mode: str
    seed: int
    successes: int
    config_hash: str
    git_sha: str
    run_time_s: float
    rows: tuple[Mapping[str, Any], ...]


def gather(sweep: Path) -> None:
    """Writes ``trials.jsonl`` and ``asr.csv`` into the directory of a sweep. Jobs that did not complete are left out.

    Raises:
        UsageError: it is no directory of a finished sweep of this workload.
    """
    results = _results(sweep)
    experiment = str(_json(sweep / "sweep.json")["experiment"])
    runs = [_run(sweep, row) for row in results if row["state"] == "COMPLETED"]
    trials = [{"exp": experiment, "mode": run.mode, "job": run.job, **row} for run in runs for row in run.rows]
    _write(sweep / TRIALS_FILE, "".join(json.dumps(row) + "\n" for row in trials))
    _write_csv(sweep / ASR_FILE, asr_rows(experiment, runs))


def asr_rows(experiment: str, runs: Sequence[Run]) -> list[dict[str, Any]]:
    """A row per run, and after those of one configuration a row that pools them: sum(successes) / sum(trials).

    ``asr_low`` and ``asr_high`` are Wilson's score interval at 95 %. It takes every trial for independent; where the
    seed has no effect the seeds only repeat the same trials, which ``note`` says.
    """
    rows = []
    for config_hash in dict.fromkeys(run.config_hash for run in runs):
        group = [run for run in runs if run.config_hash == config_hash]
        rows += [_asr_row(experiment, [run], str(run.seed)) for run in group]
        rows.append(_asr_row(experiment, group, POOLED))
    return rows


def _asr_row(experiment: str, runs: Sequence[Run], seed: str) -> dict[str, Any]:
    trials, successes = sum(len(run.rows) for run in runs), sum(run.successes for run in runs)
    low, high = wilson(successes, trials)
    return {
        "exp": experiment,
        "mode": runs[0].mode,
        "seed": seed,
        "trials": trials,
        "successes": successes,
        "asr": successes / trials,
        "asr_low": low,
        "asr_high": high,
        "config_hash": runs[0].config_hash,
        "git_sha": " ".join(sorted({run.git_sha for run in runs})),
        "run_time_s": round(sum(run.run_time_s for run in runs), 6),
        "note": _note(runs),
    }


def _note(runs: Sequence[Run]) -> str:
    note = UNSEEDED.get(runs[0].mode, "")
    return f"{note}; the trials of {len(runs)} seeds are the same ones" if note and len(runs) > 1 else note


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's score interval of a proportion at 95 % (Wilson, 1927), by statsmodels.

    Raises:
        UsageError: statsmodels is not installed.
    """
    try:
        from statsmodels.stats.proportion import proportion_confint
    except ImportError as error:
        raise UsageError(
            f"the intervals need statsmodels ({error})", where=ASR_FILE, todo="pip install 'runyard[analysis]'"
        ) from error
    low, high = proportion_confint(successes, trials, alpha=0.05, method="wilson")
    # the formula leaves 1e-17 where the bound is the end of the range
    return (0.0 if successes == 0 else float(low)), (1.0 if successes == trials else float(high))


def _results(sweep: Path) -> list[dict[str, str]]:
    path = sweep / "results.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise UsageError(
            f"there are no results ({error.strerror})", where=str(path), todo="give the directory of a finished sweep"
        ) from error


def _run(sweep: Path, result: Mapping[str, str]) -> Run:
    run_dir = sweep / result["run_dir"]
    workload = _workload(run_dir)
    rows = tuple(json.loads(line) for line in _text(run_dir / "tables" / "trials.jsonl").splitlines())
    if len(rows) != int(result["trials"]):
        raise UsageError(
            f"job {result['job']} reports {result['trials']} trials, and has rows of {len(rows)}",
            where=str(run_dir / "tables" / "trials.jsonl"),
            todo="run it again",
        )
    return Run(
        job=int(result["job"]),
        mode=str(workload["mode"]),
        seed=int(workload["seed"]),
        successes=int(result["successes"]),
        config_hash=config_hash(workload),
        git_sha=result["git_sha"],
        run_time_s=float(result["seconds"]),
        rows=rows,
    )


def _workload(run_dir: Path) -> dict[str, Any]:
    """The job's settings; of a result that was taken over, those of the run that made it."""
    reused = _json(run_dir / "run.json").get("reused")
    config = Path(reused["run_dir"] if reused else run_dir) / ".hydra" / "config.yaml"
    workload: dict[str, Any] = yaml.safe_load(_text(config))["workload"]
    if workload["name"] != "airline":
        raise UsageError(f"its workload is {workload['name']}", where=str(config), todo="give a sweep of airline")
    return workload


def config_hash(workload: Mapping[str, Any]) -> str:
    """Twelve digits that settings have in common when they differ at most in the seed."""
    text = json.dumps({key: value for key, value in workload.items() if key != "seed"}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"a file of the sweep cannot be read ({error.strerror})",
            where=str(path),
            todo="give the directory of a finished sweep of the workload airline",
        ) from error


def _json(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(_text(path))
    return value


def _write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    _write(path, text.getvalue())


def _write(path: Path, text: str) -> None:
    """Writes a file in one step: a reader never sees half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
