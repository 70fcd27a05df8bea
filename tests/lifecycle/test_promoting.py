from __future__ import annotations

import dataclasses
import json
import multiprocessing
import shutil
from pathlib import Path

import pytest
from tests.conftest import REPO, Shell, read_json
from tests.lifecycle.conftest import MakeSweep, sweep

from runyard.base import State, UsageError
from runyard.lifecycle import promote, read_champions
from runyard.record import read_run, write_run


def metrics_with(project: Shell, *overrides: str) -> dict[str, float]:
    """What a run of the application with these overrides reports."""
    project.python("train.py", "+runyard=record", f"hydra.run.dir={project.cwd}/again", *overrides, check=0)
    return dict(read_json(project.cwd / "again" / "run.json")["metrics"])


def test_a_promoted_config_gives_the_metrics_of_its_run(project: Shell):
    found = sweep(project, "lr=0.1,0.3", "model=big", "data.size=32", "limit=1", "model.width=20")
    conf = project.cwd / "conf"
    done = promote(found, 1, conf_dir=conf, name="best")
    run = read_run(found / "1")
    assert run is not None
    assert done.path == conf / "production" / "best.yaml"
    assert metrics_with(project, "+production=best") == dict(run.metrics)
    assert run.metrics["batch"] == 32 and run.metrics["width"] == 20


def test_the_file_says_where_it_came_from(project: Shell):
    found = sweep(project, "lr=0.1,0.3", "limit=1")
    text = promote(found, 1, conf_dir=project.cwd / "conf").path.read_text()
    run = read_run(found / "1")
    assert run is not None
    assert text.startswith("# @package _global_\n")
    for fact in (f"{found.name}/1", run.run_key, "loss=", "gates_passed = 1", "lr=0.3", "train.py +production=study"):
        assert fact in text.split("defaults:")[0]


def test_what_differs_between_runs_and_what_may_be_secret_is_not_resolved(project: Shell):
    found = sweep(project, "lr=0.1,0.3", "limit=1")
    text = promote(found, 0, conf_dir=project.cwd / "conf").path.read_text()
    assert "out: ${hydra:runtime.output_dir}/out" in text
    assert "home: ${oc.env:HOME}" in text
    assert "batch: 100" in text


def test_options_that_an_experiment_chose_are_chosen_again(project: Shell):
    found = sweep(project, "lr=0.1,0.3", "limit=1", "+experiment=deep", "+more.depth=2")
    text = promote(found, 1, conf_dir=project.cwd / "conf", name="deep").path.read_text()
    run = read_run(found / "1")
    assert run is not None and run.metrics["steps"] == 7
    assert "- override /model: big" in text and "experiment" not in text.split("defaults:")[1]
    assert metrics_with(project, "+production=deep") == dict(run.metrics)


def test_the_champion_and_those_before_it_are_on_record(project: Shell):
    found = sweep(project, "lr=0.1,0.3", "limit=1")
    conf = project.cwd / "conf"
    promote(found, 0, conf_dir=conf)
    done = promote(found, 1, conf_dir=conf, force=True)
    assert [entry.job for entry in read_champions(conf / "production")] == [0, 1]
    assert done.before is not None and done.before.job == 0
    assert read_json(conf / "production" / "champions.json")["champions"] == {"study": f"{found.name}/1"}


def test_a_name_that_is_taken_needs_force(project: Shell):
    found = sweep(project, "lr=0.1,0.3", "limit=1")
    conf = project.cwd / "conf"
    before = promote(found, 0, conf_dir=conf).path.read_text()
    with pytest.raises(UsageError, match=rf"there is a config 'study' already, promoted from {found.name}/0"):
        promote(found, 1, conf_dir=conf)
    assert (conf / "production" / "study.yaml").read_text() == before
    assert len(read_champions(conf / "production")) == 1


def test_a_dry_run_leaves_nothing(project: Shell):
    found = sweep(project, "lr=0.1,0.3", "limit=1")
    done = promote(found, 0, conf_dir=project.cwd / "conf", dry_run=True)
    assert "lr: 0.1" in done.text
    assert not (project.cwd / "conf" / "production").exists()


def test_an_application_that_has_other_defaults_now_is_found_by_the_trial(project: Shell):
    found = sweep(project, "lr=0.1,0.3", "limit=1")
    config = project.cwd / "conf" / "config.yaml"
    config.write_text(config.read_text() + "momentum: 0.9\n")
    with pytest.raises(UsageError, match="momentum is only in the application"):
        promote(found, 0, conf_dir=project.cwd / "conf")
    assert not (project.cwd / "conf" / "production" / "study.yaml").exists()
    assert promote(found, 0, conf_dir=project.cwd / "conf", trial=False).path.is_file()


def test_gates_that_the_run_reports_as_failed_refuse_it(project: Shell):
    found = sweep(project, "lr=0.1,0.3", "limit=0.001")
    with pytest.raises(UsageError, match=r"has not passed its gates: the run reports gates_passed = 0"):
        promote(found, 0, conf_dir=project.cwd / "conf")


def test_without_any_gate_a_run_is_refused(project: Shell):
    found = sweep(project, "lr=0.1,0.3")
    with pytest.raises(UsageError, match="nobody has judged"):
        promote(found, 0, conf_dir=project.cwd / "conf")


def test_the_verdicts_of_the_gate_command_count(project: Shell):
    found = sweep(project, "lr=0.1,0.9")
    project.runyard("gate", str(found), "--rule", "loss < 0.4", check=1)
    conf = project.cwd / "conf"
    with pytest.raises(UsageError, match=r"loss < 0.4: the mean is 0.61"):
        promote(found, 1, conf_dir=conf)
    assert promote(found, 0, conf_dir=conf).champion.gates == "1 of 1 gates in gates.json"


def test_requirements_are_checked_and_a_missing_metric_fails(project: Shell):
    found = sweep(project, "lr=0.1,0.3", "limit=1")
    conf = project.cwd / "conf"
    with pytest.raises(UsageError, match=r"does not meet 'loss < 0\.1'"):
        promote(found, 0, conf_dir=conf, require=["loss < 0.1"])
    with pytest.raises(UsageError, match="nrmse is missing"):
        promote(found, 0, conf_dir=conf, require=["nrmse < 0.1"])
    assert promote(found, 0, conf_dir=conf, require=["loss < 0.5", "width >= 4"]).path.is_file()


def test_a_job_that_failed_is_refused(project: Shell):
    found = sweep(project, "fails=true,false", "limit=1", check=1)
    with pytest.raises(UsageError, match="is FAILED: only what is COMPLETED can be promoted"):
        promote(found, 0, conf_dir=project.cwd / "conf")


def test_a_sweep_of_several_jobs_needs_a_number(project: Shell):
    found = sweep(project, "lr=0.1,0.3", "limit=1")
    with pytest.raises(UsageError, match="is a sweep of 2 jobs"):
        promote(found, None, conf_dir=project.cwd / "conf")
    with pytest.raises(UsageError, match="no job 9"):
        promote(found, 9, conf_dir=project.cwd / "conf")


def test_a_config_that_was_changed_since_is_refused(project: Shell):
    found = sweep(project, "lr=0.1,0.3", "limit=1")
    config = found / "0" / ".hydra" / "config.yaml"
    config.write_text(config.read_text().replace("lr: 0.1", "lr: 0.2"))
    with pytest.raises(UsageError, match="is not the one that it ran with"):
        promote(found, 0, conf_dir=project.cwd / "conf")
    config.unlink()
    with pytest.raises(UsageError, match="config cannot be read"):
        promote(found, 0, conf_dir=project.cwd / "conf")


def test_changes_of_the_code_that_were_not_kept_refuse_a_run(project: Shell):
    found = sweep(project, "lr=0.1,0.3", "limit=1")
    run = read_run(found / "0")
    assert run is not None
    git = {"sha": "abc1234def", "branch": "main", "dirty": True, "patch": "git.patch"}
    write_run(dataclasses.replace(run, provenance={**run.provenance, "git": git}))
    with pytest.raises(UsageError, match="changes to commit abc1234 that were not kept"):
        promote(found, 0, conf_dir=project.cwd / "conf")
    (found / "snapshot" / "git.patch").write_text("a patch\n")
    assert promote(found, 0, conf_dir=project.cwd / "conf").path.is_file()


def test_a_secret_does_not_get_into_a_promoted_config(project: Shell):
    found = sweep(project, "lr=0.1,0.3", "limit=1", "+db.password=hunter2")
    with pytest.raises(UsageError, match=r"looks like a secret: db\.password") as caught:
        promote(found, 0, conf_dir=project.cwd / "conf")
    assert "hunter2" not in str(caught.value)


def test_names_that_are_no_names_of_configs_are_refused(make_sweep: MakeSweep, project: Shell):
    found = sweep(project, "lr=0.1,0.3", "limit=1")
    for name in ("a/b", "x.yaml", "-x", "a b", "ä"):
        with pytest.raises(UsageError, match="cannot be the name of a config"):
            promote(found, 0, conf_dir=project.cwd / "conf", name=name)


def _promote(found: Path, conf: Path, name: str) -> None:
    promote(found, 0, conf_dir=conf, name=name, trial=False)


def test_promotions_at_the_same_time_are_all_on_record(project: Shell):
    found, conf = sweep(project, "lr=0.1,0.3", "limit=1"), project.cwd / "conf"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_promote, args=(found, conf, f"config{n}")) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert {entry.name for entry in read_champions(conf / "production")} == {f"config{n}" for n in range(4)}
    assert json.loads((conf / "production" / "champions.json").read_text())["schema"] == 1


def test_pending_jobs_are_refused(make_sweep: MakeSweep, tmp_path: Path):
    found = make_sweep(states=(State.PENDING, State.COMPLETED))
    with pytest.raises(UsageError, match="is PENDING"):
        promote(found, 0, conf_dir=tmp_path)


def test_a_workload_of_our_application_runs_again_from_its_promoted_config(shell: Shell):
    conf = shell.cwd / "conf"
    shutil.copytree(REPO / "conf", conf)
    words = ("-m", "app", "--config-dir", str(conf))
    # structured configs, and a workload that is not the one of the defaults list
    jobs = ("workload=arena", "workload.total_timesteps=64000", "workload.rewards=true", "workload.seed=3,4")
    shell.python(*words, "-m", *jobs, check=0)
    found = shell.only_sweep("app")
    shell.runyard("gate", str(found), "--rule", "agent_step > 0", check=0)
    shell.runyard("promote", f"{found.name}/1", "--name", "arena_v1", check=0)
    shell.python(*words, "+production=arena_v1", f"hydra.run.dir={shell.cwd}/again", check=0)
    before, again = (read_json(folder / "run.json") for folder in (found / "1", shell.cwd / "again"))
    timeless = [{k: v for k, v in run["metrics"].items() if not k.endswith("_s")} for run in (before, again)]
    assert timeless[0] == timeless[1] and "eval_arena/score" in timeless[0]
    assert again["run_key"] == before["run_key"]
