"""``runyard status`` and ``runyard show``: how a sweep stands, and all that is recorded of it or of one job."""

from __future__ import annotations

import dataclasses
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runyard.base import FAILURES, State, SweepState, utc_now
from runyard.cli.options import (
    find_target,
    json_option,
    print_json,
    reference_to,
    roots_option,
    run_of,
    sweep_argument,
)
from runyard.cli.stand import standing_of
from runyard.cli.words import (
    age,
    count,
    counts_text,
    cut,
    duration,
    facts,
    moment_text,
    number,
    seconds_between,
    state_text,
    terminal_width,
)
from runyard.record import (
    Attempt,
    RunPaths,
    RunRecord,
    SweepPaths,
    SweepRecord,
    one_line,
    reason_of,
    shown,
    with_provenance,
)
from runyard.registry import find_sweep

if TYPE_CHECKING:
    from runyard.cluster import WorkerStanding
    from runyard.orchestrate import SweepStatus

_MOST_LINES = 10
_NAME_WIDTH = 11  # of the longest name in a status, with its margins
_FILES = ("results_csv", "results_parquet", "summary_csv", "summary_png", "notes", "tables", "plan_csv", "config_yaml")


@click.command()
@sweep_argument
@roots_option
@json_option
def status(sweep: str, roots: tuple[Path, ...], as_json: bool) -> None:
    """Tell how a sweep stands: jobs by state, running and failed ones, what to do next."""
    sweep_dir = find_sweep(sweep, roots)
    standing = standing_of(sweep_dir)
    now, workers, unsure = standing.status, standing.workers, standing.unsure
    todo = next_command(now, sweep_dir, roots)
    if as_json:
        print_json({**_status_json(now, sweep_dir, todo), "workers": [dataclasses.asdict(w) for w in workers]})
    else:
        _print_status(now, workers, sweep_dir, todo)
        if unsure:
            click.echo(f"  {unsure}")


def next_command(now: SweepStatus, sweep_dir: Path, roots: Sequence[Path]) -> str | None:
    """The command that takes the sweep further; None when there is nothing left, or someone is at work."""
    record = now.record
    done = all(run.state is State.COMPLETED for run in now.runs) and record.state is not SweepState.LOST
    if record.single or now.controller is not None or done:
        return None
    name = shlex.quote(reference_to(record.sweep_id, sweep_dir, roots))
    return f"runyard {'resume' if record.entry is not None else 'collect'} {name}"


def eta_seconds(runs: Sequence[RunRecord]) -> float | None:
    """Seconds until the last job ends, if jobs go on at the mean of the completed, as many at a time as now."""
    took = [run.seconds for run in runs if run.state is State.COMPLETED and run.seconds is not None]
    running = sum(run.state is State.RUNNING for run in runs)
    pending = sum(run.state is State.PENDING for run in runs)
    return (pending / running + 0.5) * sum(took) / len(took) if took and running else None


def _running_seconds(run: RunRecord) -> float | None:
    return seconds_between(run.attempts[-1].started_at, None, utc_now()) if run.attempts else None


def _status_json(now: SweepStatus, sweep_dir: Path, todo: str | None) -> dict[str, Any]:
    record = now.record
    running = [run for run in now.runs if run.state is State.RUNNING]
    failed = [run for run in now.runs if run.state in FAILURES]
    return {
        "sweep_id": record.sweep_id,
        "experiment": record.experiment,
        "state": record.state.value,
        "counts": dict(record.counts),
        "jobs": len(now.runs),
        "created_at": record.created_at,
        "finished_at": record.finished_at,
        "eta_s": eta_seconds(now.runs) if now.controller is not None else None,
        "controller": None if now.controller is None else dict(now.controller),
        "running": [
            {"job": run.job, "overrides": list(run.overrides), "seconds": _running_seconds(run)} for run in running
        ],
        "failed": [
            {"job": run.job, "state": run.state.value, "reason": reason_of(run), "log": str(log_of(run))}
            for run in failed
        ],
        "next": todo,
        "path": str(sweep_dir),
    }


def log_of(run: RunRecord) -> Path:
    """Where a job's output is."""
    return RunPaths(Path(run.run_dir)).output_log


def _print_status(now: SweepStatus, workers: Sequence[WorkerStanding], sweep_dir: Path, todo: str | None) -> None:
    record, controller = now.record, now.controller
    click.echo(f"{record.sweep_id}  {one_line(record.experiment)}  {state_text(record.state)}")
    results = SweepPaths(sweep_dir).results_csv
    pairs = [
        ("jobs", counts_text(record.counts) if record.counts else "none yet"),
        ("time", _time_text(record, eta_seconds(now.runs) if controller is not None else None)),
        ("process", f"{controller['pid']} on {controller['host']}" if controller and "pid" in controller else ""),
        ("workers", _workers_lines(workers)),
        ("running", _running_lines([run for run in now.runs if run.state is State.RUNNING])),
        ("failed", _failed_lines([run for run in now.runs if run.state in FAILURES])),
        ("results", shown(results) if results.exists() else ""),
        ("lost", "its controller is gone without a word" if record.state is SweepState.LOST else ""),
        ("next", todo or ""),
    ]
    click.echo(facts(pairs))


def _time_text(record: SweepRecord, eta_s: float | None) -> str:
    now = utc_now()
    if record.finished_at:
        took = seconds_between(record.created_at, record.finished_at, now)
        return f"took {duration(took)}, ended {age(record.finished_at, now)} ago"
    left = "" if eta_s is None else f", about {duration(float(round(eta_s)))} left"
    return f"began {age(record.created_at, now)} ago{left}"


def _workers_lines(workers: Sequence[WorkerStanding]) -> str:
    """How many workers are in which state; and those that are at work, or in trouble."""
    if not workers:
        return ""
    counts = Counter(worker.state.value for worker in workers)
    lines = [", ".join(f"{n} {state.lower()}" for state, n in counts.items())]
    told = [worker for worker in workers if worker.is_alive or worker.state.value not in ("COMPLETED", "RUNNING")]
    for worker in told[:_MOST_LINES]:
        jobs = f"job {', '.join(map(str, worker.jobs))}" if worker.jobs else ""
        words = [worker.name, worker.state.value.lower(), worker.node, jobs, worker.reason]
        silent = f"no word from it for {duration(worker.silent_s)}" if worker.silent_s else ""
        again = f"started again {count(worker.restarts, 'time')}" if worker.restarts else ""
        lines.append("  ".join(word for word in [*words, again, silent] if word))
    return "\n".join([*lines, *_more(told)])


def _running_lines(runs: Sequence[RunRecord]) -> str:
    longest = sorted(runs, key=lambda run: -(_running_seconds(run) or 0.0))
    lines = []
    for run in longest[:_MOST_LINES]:
        start = f"job {run.job}  {duration(_running_seconds(run))}  "
        lines.append(start + _fitting(one_line(" ".join(run.overrides)), start))
    return "\n".join([*lines, *_more(runs)])


def _failed_lines(runs: Sequence[RunRecord]) -> str:
    lines = []
    for run in runs[:_MOST_LINES]:
        reason = _fitting(reason_of(run), f"job {run.job}  {run.state}  ")
        lines.append(f"job {run.job}  {state_text(run.state)}  {reason}")
        lines.append(f"    {shown(log_of(run))}")
    return "\n".join([*lines, *_more(runs)])


def _fitting(text: str, before: str) -> str:
    """Text cut so that it fits on the line of a terminal behind a fact's name and ``before``; else as it is."""
    width = terminal_width()
    return text if width is None else cut(text, max(width - _NAME_WIDTH - len(before), 20))


def _more(runs: Sequence[object]) -> list[str]:
    return [f"... and {len(runs) - _MOST_LINES} more"] if len(runs) > _MOST_LINES else []


@click.command()
@click.argument("sweep", metavar="SWEEP[/JOB]", default="latest")
@roots_option
@json_option
def show(sweep: str, roots: tuple[Path, ...], as_json: bool) -> None:
    """Show all that is recorded of a sweep, or of one job: parameters, metrics, stages, attempts, errors.

    A bare number is a job of the latest sweep.
    """
    sweep_dir, job = find_target(sweep, roots)
    now = standing_of(sweep_dir).status
    if job is not None:
        run = with_provenance(run_of(now.runs, job, sweep_dir))
        print_json(run.to_json()) if as_json else _print_run(run)
    elif as_json:
        print_json({**now.record.to_json(), "path": str(sweep_dir), "jobs": [_job_json(run) for run in now.runs]})
    else:
        _print_sweep(now.record, sweep_dir)


def _job_json(run: RunRecord) -> dict[str, Any]:
    return {
        "job": run.job,
        "state": run.state.value,
        "params": run.params,
        "metrics": run.metrics,
        "seconds": run.seconds,
        "attempts": len(run.attempts),
        "run_dir": run.run_dir,
    }


def _print_sweep(record: SweepRecord, sweep_dir: Path) -> None:
    click.echo(f"{record.sweep_id}  {one_line(record.experiment)}  {state_text(record.state)}")
    files = [getattr(SweepPaths(sweep_dir), name) for name in _FILES]
    host = record.provenance.get("host")
    pairs = [
        ("note", one_line(record.note)),
        ("tags", ", ".join(record.tags)),
        ("jobs", counts_text(record.counts) if record.counts else "none yet"),
        ("command", one_line(shlex.join(record.command))),
        ("overrides", "\n".join(one_line(o) for o in record.overrides)),
        ("launcher", record.launcher),
        ("cwd", record.cwd),
        ("created", moment_text(record.created_at)),
        ("finished", moment_text(record.finished_at)),
        ("git", git_text(record.provenance.get("git"), SweepPaths(sweep_dir).snapshot)),
        ("python", str(record.provenance.get("python", ""))),
        ("host", str(host.get("name", "")) if isinstance(host, Mapping) else ""),
        ("path", shown(sweep_dir)),
        ("files", "\n".join(shown(path) for path in files if path.exists())),
    ]
    click.echo(facts(pairs))


def git_text(git: Any, folder: Path) -> str:
    """Commit and branch; and where the changes against it are kept, if there were any."""
    if not isinstance(git, Mapping) or not git.get("sha"):
        return "none"
    text = f"{git['sha']} ({git.get('branch') or 'no branch'})"
    if not git.get("dirty"):
        return text
    kept = git.get("patch")
    patch = folder / str(kept)
    return f"{text}, with changes: {shown(patch) if kept and patch.exists() else kept or 'not kept'}"


def _print_run(run: RunRecord) -> None:
    click.echo(f"{run.sweep_id}  job {run.job}  {state_text(run.state)}")
    stages = [
        f"{name}  {state_text(stage.state)}  {duration(stage.seconds)}  {_values(stage.metrics, ', ')}".rstrip()
        for name, stage in run.stages.items()
    ]
    pairs = [
        ("overrides", "\n".join(one_line(o) for o in run.overrides)),
        ("params", _values(run.params, "\n")),
        ("metrics", _values(run.metrics, "\n")),
        ("stages", "\n".join(stages)),
        ("seconds", duration(run.seconds) if run.seconds is not None else ""),
        ("resources", _values({k: v for k, v in run.resources.items() if v}, ", ")),
        ("run key", run.run_key),
        ("git", git_text(run.provenance.get("git"), Path(run.run_dir)) if run.provenance else ""),
        ("log", shown(log_of(run)) if log_of(run).exists() else ""),
        ("path", shown(Path(run.run_dir))),
    ]
    click.echo(facts(pairs))
    for attempt in run.attempts:
        _print_attempt(attempt)


def _values(values: Mapping[str, Any], between: str) -> str:
    return between.join(f"{one_line(name)} = {number(value)}" for name, value in values.items())


def _print_attempt(attempt: Attempt) -> None:
    click.echo(f"\n  attempt {attempt.n}  {state_text(attempt.state)}")
    error = attempt.error
    pairs = [
        ("began", moment_text(attempt.started_at)),
        ("seconds", duration(attempt.seconds) if attempt.seconds is not None else ""),
        ("where", f"process {attempt.pid} on {attempt.host}"),
        ("exit code", "" if attempt.exit_code is None else str(attempt.exit_code)),
        ("signal", attempt.signal or ""),
        ("error", f"{error.type}: {error.message}" if error and not error.traceback else ""),
    ]
    click.echo(facts(pairs))
    if error and error.traceback:
        click.echo("\n" + "\n".join(f"    {line}" for line in error.traceback.rstrip().splitlines()))
