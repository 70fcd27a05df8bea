"""Writes a sweep to MLflow: a run for the sweep, and a nested run per job. Runs that are there are found by tags."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runyard.base import State, SweepState, UsageError, from_iso
from runyard.export.library import needed
from runyard.export.outcome import Exported
from runyard.export.subject import (
    Subject,
    config_of,
    flat,
    histories_of,
    log_tail,
    read_subject,
    sha_of,
    swept_of,
    times_of,
)
from runyard.record import RunRecord, SweepPaths

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

# MLflow's own limits (mlflow.utils.validation)
_KEY_LENGTH = 250
_PARAM_LENGTH = 6000
_TAG_LENGTH = 5000
_PARAMS_A_BATCH = 100
_METRICS_A_BATCH = 1000
_FOUND_A_PAGE = 1000

_SWEEP, _JOB, _DONE = "runyard.sweep_id", "runyard.job", "runyard.exported"
_STATUS = {State.COMPLETED: "FINISHED", State.CANCELLED: "KILLED"}
_SWEEP_STATUS = {SweepState.COMPLETED: "FINISHED", SweepState.CANCELLED: "KILLED"}


def export_mlflow(sweep_dir: Path, *, tracking_uri: str | None = None, experiment: str | None = None) -> Exported:
    """Writes what has ended of a sweep to MLflow.

    A job that was exported before is left as it is. When it has had another attempt since, or its export was broken
    off, its MLflow run is deleted and written anew.

    Args:
        sweep_dir: the sweep.
        tracking_uri: None takes MLflow's own: ``MLFLOW_TRACKING_URI``, or its default.
        experiment: MLflow's experiment; None takes the sweep's.

    Raises:
        UsageError: MLflow is not installed, or refuses.
        RecordError: the directory is not that of a sweep.
    """
    with needed("mlflow"):
        import sqlalchemy  # noqa: F401  # MLflow's light package does without; its default store does not
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient, get_tracking_uri
    subject = read_subject(sweep_dir)
    name = experiment or subject.sweep.experiment
    uri = tracking_uri or get_tracking_uri()
    try:
        client = MlflowClient(tracking_uri=uri)
        written, kept = _write(client, _experiment_id(client, name), subject)
    except MlflowException as error:
        raise UsageError(
            f"MLflow refuses: {str(error).strip().splitlines()[0]}", where=uri, todo="see --tracking-uri, --experiment"
        ) from error
    return Exported(
        target="mlflow", place=f"{uri}, experiment {name}", written=written, kept=kept, left_out=subject.left_out
    )


def _experiment_id(client: MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found is not None else client.create_experiment(name))


def _write(client: MlflowClient, experiment_id: str, subject: Subject) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Writes the sweep's run and those of its jobs; the numbers of the jobs that are new, and of those that are not."""
    there = _there(client, experiment_id, subject.sweep.sweep_id)
    parent = there.get(None) or _create(client, experiment_id, _sweep_start(subject), subject.sweep.sweep_id, {})
    parent_id = parent.info.run_id
    _write_sweep(client, parent_id, subject)
    written, kept = [], []
    for run in subject.ended:
        before = there.get(str(run.job))
        if before is not None and before.data.tags.get(_DONE) == _stand(run):
            kept.append(run.job)
            continue
        if before is not None:
            client.delete_run(before.info.run_id)
        _write_job(client, experiment_id, parent_id, subject, run)
        written.append(run.job)
    _end_sweep(client, parent_id, subject)
    return tuple(written), tuple(kept)


def _there(client: MlflowClient, experiment_id: str, sweep_id: str) -> dict[str | None, Any]:
    """The runs of a sweep that MLflow has: by the number of the job, the sweep's own by None."""
    found: dict[str | None, Any] = {}
    token: str | None = None
    while True:
        page = client.search_runs(
            [experiment_id], f"tags.`{_SWEEP}` = '{sweep_id}'", max_results=_FOUND_A_PAGE, page_token=token
        )
        found |= {run.data.tags.get(_JOB): run for run in page}
        token = page.token
        if not token:
            return found


def _create(client: MlflowClient, experiment_id: str, start_s: float, sweep_id: str, tags: Mapping[str, str]) -> Any:
    name = f"{sweep_id}/{tags[_JOB]}" if _JOB in tags else sweep_id
    return client.create_run(experiment_id, start_time=_ms(start_s), tags={**tags, _SWEEP: sweep_id}, run_name=name)


def _write_sweep(client: MlflowClient, run_id: str, subject: Subject) -> None:
    from mlflow.entities import RunTag

    sweep = subject.sweep
    git = sweep.provenance.get("git") or {}
    tags = {
        "runyard.state": sweep.state.value,
        "runyard.experiment": sweep.experiment,
        "runyard.launcher": sweep.launcher,
        "runyard.tags": ";".join(sweep.tags),
        "runyard.git_branch": git.get("branch"),
        "runyard.git_dirty": git.get("dirty"),
        "runyard.path": str(subject.dir),
        "mlflow.note.content": sweep.note,
        "mlflow.source.name": " ".join(sweep.command),
        "mlflow.source.git.commit": sha_of(sweep),
    }
    client.log_batch(run_id, tags=[RunTag(key, value) for key, value in _texts(tags).items()])
    paths = SweepPaths(subject.dir)
    for path in (paths.config_yaml, paths.results_csv, paths.summary_csv, paths.summary_png, paths.notes):
        if path.is_file():
            client.log_artifact(run_id, str(path))


def _end_sweep(client: MlflowClient, run_id: str, subject: Subject) -> None:
    """A sweep with jobs that have not ended stays RUNNING; another export ends it."""
    if subject.left_out:
        client.update_run(run_id, status="RUNNING")
        return
    ends = [times_of(run, subject.sweep)[1] for run in subject.ended]
    finished = subject.sweep.finished_at
    end = from_iso(finished).timestamp() if finished else max(ends, default=_sweep_start(subject))
    client.set_terminated(run_id, _SWEEP_STATUS.get(subject.sweep.state, "FAILED"), end_time=_ms(end))


def _write_job(client: MlflowClient, experiment_id: str, parent_id: str, subject: Subject, run: RunRecord) -> None:
    import yaml
    from mlflow.entities import Metric, Param

    start, end = times_of(run, subject.sweep)
    tags = _texts(_job_tags(run, parent_id))
    run_id = _create(client, experiment_id, start, run.sweep_id, tags).info.run_id
    config = config_of(run)
    params = [Param(key, value) for key, value in params_of({**dict(flat(config)), **swept_of(run)}).items()]
    for batch in _batches(params, _PARAMS_A_BATCH):
        client.log_batch(run_id, params=batch)
    series = {name: [(0, float(value))] for name, value in run.metrics.items()} | histories_of(run)
    names = dict(zip(series, _keys(list(series)), strict=True))
    metrics = [Metric(names[name], value, _ms(end), step) for name, points in series.items() for step, value in points]
    for batch in _batches(metrics, _METRICS_A_BATCH):
        client.log_batch(run_id, metrics=batch)
    if config:
        client.log_text(run_id, yaml.safe_dump(config, sort_keys=False), "config.yaml")
    if tail := log_tail(run):
        client.log_text(run_id, tail, "output_tail.log")
    client.set_terminated(run_id, _STATUS.get(run.state, "FAILED"), end_time=_ms(end))
    client.set_tag(run_id, _DONE, _stand(run))  # last: without it the export counts as broken off


def _job_tags(run: RunRecord, parent_id: str) -> dict[str, Any]:
    last = run.attempts[-1] if run.attempts else None
    return {
        _JOB: run.job,
        "runyard.run_key": run.run_key,
        "runyard.state": run.state.value,
        "runyard.attempts": len(run.attempts),
        "runyard.host": last.host if last else None,
        "runyard.error": f"{last.error.type}: {last.error.message}" if last and last.error else None,
        "runyard.reused": json.dumps(dict(run.reused)) if run.reused else None,
        "runyard.path": run.run_dir,
        "mlflow.parentRunId": parent_id,
        "mlflow.source.git.commit": sha_of(run),
    }


def params_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as MLflow takes them: keys of its letters, keys and values no longer than it allows."""
    keys = _keys(list(values))
    return {key: _text(value)[:_PARAM_LENGTH] for key, value in zip(keys, values.values(), strict=True)}


def _keys(names: Sequence[str]) -> list[str]:
    """A key for each name, all different: what MLflow does not allow becomes ``_``, a taken key gets a number."""
    keys: dict[str, None] = {}
    for name in names:
        plain = re.sub(r"[^\w.\-:/ ]", "_", name, flags=re.ASCII)[:_KEY_LENGTH] or "_"
        key, n = plain, 1
        while key in keys:
            n += 1
            key = f"{plain[: _KEY_LENGTH - 8]}_{n}"
        keys[key] = None
    return list(keys)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _texts(tags: Mapping[str, Any]) -> dict[str, str]:
    """Tags as texts; those that say nothing are left out."""
    return {key: _text(value)[:_TAG_LENGTH] for key, value in tags.items() if value not in (None, "")}


def _stand(run: RunRecord) -> str:
    return f"{run.state.value}/{len(run.attempts)}"


def _sweep_start(subject: Subject) -> float:
    return from_iso(subject.sweep.created_at).timestamp()


def _ms(moment_s: float) -> int:
    return round(moment_s * 1000)


def _batches(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [items[at : at + size] for at in range(0, len(items), size)]
