"""From records to answers: what a client may see of a run, without secrets and without paths that are not its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from runyard.analyze import is_bookkeeping
from runyard.base import State, finite_json, read_tail
from runyard.orchestrate import SweepStatus
from runyard.record import RunRecord, SweepPaths, redact, redact_override, redact_text
from runyard.report import causes_of
from runyard.serve.models import (
    AttemptRow,
    Cause,
    JobDetail,
    JobRow,
    RunDetail,
    RunRow,
    Started,
    Summary,
)

_HEAD = 8
_TEXT_BYTES = 256_000


def path_from(cwd: Path, path: Path) -> str:
    """A path as a client is told it: from the server's working directory where it lies below."""
    return str(path.relative_to(cwd)) if path.is_relative_to(cwd) else str(path)


def row_of(row: Mapping[str, Any]) -> RunRow:
    """A row of the list."""
    return RunRow(
        run_id=row["sweep_id"],
        kind="run" if row["single"] else "sweep",
        experiment=row["experiment"],
        state=row["state"],
        counts=row["counts"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
        tags=list(row["tags"]),
        note=row["note"],
    )


def detail_of(now: SweepStatus, folder: Path, cwd: Path, figures: list[str]) -> RunDetail:
    """All that a client is told of one run."""
    record = now.record
    git = record.provenance.get("git")
    return RunDetail(
        run_id=record.sweep_id,
        kind="run" if record.single else "sweep",
        experiment=record.experiment,
        state=record.state.value,
        counts=dict(record.counts),
        created_at=record.created_at,
        finished_at=record.finished_at,
        tags=list(record.tags),
        note=record.note,
        launcher=record.launcher,
        overrides=[redact_override(override) for override in record.overrides],
        artifact_path=path_from(cwd, folder),
        is_at_work=now.controller is not None,
        git_sha=git.get("sha") if isinstance(git, Mapping) else None,
        figures=figures,
    )


def started(now: SweepStatus, folder: Path, cwd: Path, names: Sequence[str] | None) -> Started:
    """What is said of a start; ``names`` are the metrics of the head after waiting, None before."""
    return Started(
        run_id=now.record.sweep_id,
        state=now.record.state.value,
        artifact_path=path_from(cwd, folder),
        metrics_head=None if names is None else metrics_head(now, names),
    )


def metrics_head(now: SweepStatus, names: Sequence[str]) -> dict[str, Any]:
    """The first metrics: of a single run as they are; of a sweep n, mean, min and max over COMPLETED jobs.

    ``names`` chooses them and their order; empty takes the first eight in the order in which they are reported.
    """
    done = [run for run in now.runs if run.state is State.COMPLETED or now.record.single]
    reported = dict.fromkeys(name for run in done for name in run.metrics if not is_bookkeeping(name))
    chosen = [name for name in names if name in reported] if names else list(reported)[:_HEAD]
    if now.record.single:
        found: dict[str, Any] = {name: run.metrics[name] for run in done for name in chosen if name in run.metrics}
    else:
        found = {name: _spread([run.metrics[name] for run in done if name in run.metrics]) for name in chosen}
    answer: dict[str, Any] = finite_json(redact(found))
    return answer


def _spread(values: Sequence[Any]) -> dict[str, Any]:
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    if not numbers:
        return {"n": 0}
    mean = sum(numbers) / len(numbers)
    return {"n": len(numbers), "mean": mean, "min": min(numbers), "max": max(numbers)}


def summary_of(now: SweepStatus, folder: Path, names: Sequence[str], own: Path | None) -> Summary:
    """What came of a run; ``own`` is the application's own summary of a single run."""
    notes = SweepPaths(folder).notes
    text = read_tail(own if own is not None and own.is_file() else notes, _TEXT_BYTES)[0]
    return Summary(
        run_id=now.record.sweep_id,
        state=now.record.state.value,
        counts=dict(now.record.counts),
        metrics_head=metrics_head(now, names),
        failures=[
            Cause(state=cause.state.value, why=redact_text(cause.why), jobs=list(cause.jobs))
            for cause in causes_of(now.runs)
        ],
        text=redact_text(text),
    )


def _of_job(run: RunRecord) -> dict[str, Any]:
    return {
        "job": run.job,
        "state": run.state.value,
        "params": finite_json(redact(run.params)),
        "metrics": finite_json(redact(run.metrics)),
        "seconds": run.seconds,
    }


def job_row(run: RunRecord) -> JobRow:
    """A row of the jobs."""
    return JobRow(**_of_job(run))


def job_detail(run: RunRecord) -> JobDetail:
    """All that a client is told of one job."""
    return JobDetail(
        **_of_job(run),
        overrides=[redact_override(override) for override in run.overrides],
        attempts=attempts_of(run),
        stages=finite_json(redact({name: stage.to_json() for name, stage in run.stages.items()})),
        config=config_of(run),
    )


def attempts_of(run: RunRecord) -> list[AttemptRow]:
    """The tries at a job, without tracebacks."""
    return [
        AttemptRow(
            n=one.n,
            state=one.state.value,
            started_at=one.started_at,
            ended_at=one.ended_at,
            seconds=one.seconds,
            host=one.host,
            exit_code=one.exit_code,
            signal=one.signal,
            error=redact_text(f"{one.error.type}: {one.error.message}") if one.error else None,
        )
        for one in run.attempts
    ]


def config_of(run: RunRecord) -> str:
    """The composed config of a job as YAML, without secrets; empty before there is one."""
    path = Path(run.run_dir, ".hydra", "config.yaml")
    try:
        return yaml.safe_dump(redact(yaml.safe_load(path.read_text(encoding="utf-8"))), sort_keys=False)
    except (OSError, UnicodeDecodeError):
        return ""
    except yaml.YAMLError:  # a config may hold tags that are not plain YAML
        return redact_text(path.read_text(encoding="utf-8"))
