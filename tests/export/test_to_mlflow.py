from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from runyard.base import State, SweepState, UsageError
from runyard.export import export_mlflow
from runyard.export.to_mlflow import params_of
from runyard.record import read_run, read_sweep, write_run, write_sweep

# MLflow's own use of SQLAlchemy 2.1
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/mlflow.db"


def exported_runs(uri: str, experiment: str = "mnist") -> dict[str, Any]:
    client = MlflowClient(tracking_uri=uri)
    found = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    runs = {run.data.tags.get("runyard.job", "sweep"): run for run in found}
    assert len(runs) == len(found), "a job is there twice"
    return runs


def test_jobs_that_have_ended_become_runs_below_that_of_the_sweep(sweep_dir: Path, uri: str) -> None:
    done = export_mlflow(sweep_dir, tracking_uri=uri)
    runs = exported_runs(uri)
    assert (done.written, done.left_out) == ((0, 1, 2, 3), (4,))
    assert set(runs) == {"sweep", "0", "1", "2", "3"}
    parent = runs.pop("sweep").info.run_id
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values()} == {parent}
    assert [runs[str(n)].info.status for n in range(4)] == ["FINISHED", "FAILED", "FINISHED", "KILLED"]
    assert "boom" in runs["1"].data.tags["runyard.error"]


def test_a_job_tells_its_params_metrics_tags_and_times(sweep_dir: Path, uri: str) -> None:
    export_mlflow(sweep_dir, tracking_uri=uri)
    run = exported_runs(uri)["2"]
    assert run.data.params["model.lr"] == "0.2"
    assert run.data.params["opt"] == "adam"
    assert run.data.params["model.name"] == "net"
    assert run.data.params["db.password"] == "***"
    assert len(run.data.params["long"]) == 6000
    assert run.data.metrics["acc"] == 0.75
    assert math.isnan(run.data.metrics["eval/loss"])
    assert run.data.tags["runyard.run_key"] == "1-key2"
    assert run.data.tags["runyard.host"] == "node1"
    assert run.data.tags["mlflow.source.git.commit"] == "abc1234def"
    assert run.info.end_time - run.info.start_time == 60_500
    assert run.info.start_time == 1769860802000


def test_rows_that_count_steps_become_the_history_of_a_metric(sweep_dir: Path, uri: str) -> None:
    export_mlflow(sweep_dir, tracking_uri=uri)
    run = exported_runs(uri)["0"]
    history = MlflowClient(tracking_uri=uri).get_metric_history(run.info.run_id, "curve/loss")
    assert sorted((m.step, m.value) for m in history) == [(n, 1 / (n + 1)) for n in range(5)]
    assert set(run.data.metrics) == {"acc", "eval/loss", "curve/loss"}


def test_files_are_kept_as_artifacts_without_secrets(sweep_dir: Path, uri: str, tmp_path: Path) -> None:
    export_mlflow(sweep_dir, tracking_uri=uri)
    client, runs = MlflowClient(tracking_uri=uri), exported_runs(uri)
    names = {file.path for file in client.list_artifacts(runs["sweep"].info.run_id)}
    assert names == {"config.yaml", "results.csv", "notes.md"}
    config = Path(client.download_artifacts(runs["0"].info.run_id, "config.yaml", str(tmp_path)))
    assert "hush" not in config.read_text()
    tail = Path(client.download_artifacts(runs["0"].info.run_id, "output_tail.log", str(tmp_path)))
    assert tail.read_text().splitlines() == [f"line {n}" for n in range(800, 1000)]


def test_exporting_twice_makes_no_second_copy(ended_dir: Path, uri: str) -> None:
    first = export_mlflow(ended_dir, tracking_uri=uri)
    before = {job: run.info.run_id for job, run in exported_runs(uri).items()}
    again = export_mlflow(ended_dir, tracking_uri=uri)
    assert again.written == ()
    assert again.kept == first.written == (0, 1, 2, 3, 4)
    assert {job: run.info.run_id for job, run in exported_runs(uri).items()} == before


def test_a_sweep_is_running_there_until_all_of_it_is_exported(sweep_dir: Path, uri: str) -> None:
    export_mlflow(sweep_dir, tracking_uri=uri)
    assert exported_runs(uri)["sweep"].info.status == "RUNNING"
    run = read_run(sweep_dir / "4")
    attempt = replace(run.attempts[-1], state=State.COMPLETED, ended_at="2026-01-31T12:01:30.000Z", seconds=86.0)
    write_run(run.with_attempt(attempt))
    sweep = replace(read_sweep(sweep_dir), state=SweepState.FAILED, finished_at="2026-01-31T12:02:00.000Z")
    write_sweep(sweep_dir, sweep)
    assert export_mlflow(sweep_dir, tracking_uri=uri).written == (4,)
    info = exported_runs(uri)["sweep"].info
    assert (info.status, info.end_time - info.start_time) == ("FAILED", 120_000)


def test_a_job_that_was_tried_again_is_written_anew(ended_dir: Path, uri: str) -> None:
    export_mlflow(ended_dir, tracking_uri=uri)
    run = read_run(ended_dir / "1")
    again = replace(run.attempts[-1], n=2, state=State.COMPLETED, error=None)
    write_run(run.with_attempt(again, metrics={"acc": 0.875}))
    done = export_mlflow(ended_dir, tracking_uri=uri)
    assert (done.written, done.kept) == ((1,), (0, 2, 3, 4))
    assert exported_runs(uri)["1"].data.metrics == {"acc": 0.875}


def test_the_experiment_can_be_named(ended_dir: Path, uri: str) -> None:
    export_mlflow(ended_dir, tracking_uri=uri, experiment="paper")
    assert len(exported_runs(uri, "paper")) == 6


def test_what_mlflow_refuses_is_said(ended_dir: Path) -> None:
    with pytest.raises(UsageError, match="MLflow refuses"):
        export_mlflow(ended_dir, tracking_uri="nonsense://x")


def test_keys_that_mlflow_does_not_take_are_told_apart() -> None:
    assert list(params_of({"a@b": 1, "a_b": 2, "k" * 300: 3})) == ["a_b", "a_b_2", "k" * 250]
