"""The recorder with launchers that are not ours, and with single runs."""

import csv
import os

import pytest
from tests.conftest import read_json

LAUNCHERS = ["basic", "joblib", "submitit_local"]


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_every_launcher_leaves_the_same_record(shell, launcher):
    shell.app("rows_app", "-m", "+runyard=record", f"hydra/launcher={launcher}", "i=1,2,3", check=0)
    sweep = shell.only_sweep("rows_app")
    assert [(r["job"], r["state"], r["i"], r["square"]) for r in rows_of(sweep / "results.csv")] == [
        ("0", "COMPLETED", "1", "1"),
        ("1", "COMPLETED", "2", "4"),
        ("2", "COMPLETED", "3", "9"),
    ]
    assert [(r["job"], r["i"], r["a"]) for r in rows_of(sweep / "tables" / "rows.csv")] == [
        ("0", "1", "1"),
        ("1", "2", "2"),
        ("2", "3", "3"),
    ]
    assert [r["c"] for r in rows_of(sweep / "tables" / "frame.csv")] == ["1", "2", "2", "3", "3", "4"]
    assert {"summary.csv", "summary.png", "notes.md", "results.parquet"} <= set(os.listdir(sweep))
    assert read_json(sweep / "sweep.json")["launcher"] == launcher
    assert (shell.cwd / "multirun/rows_app/latest").resolve() == sweep


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_job_is_recorded_by_the_process_that_ran_it(shell, launcher):
    shell.app("rows_app", "-m", "+runyard=record", f"hydra/launcher={launcher}", "i=1,2", check=0)
    sweep = shell.only_sweep("rows_app")
    pids = {read_json(run)["attempts"][0]["pid"] for run in sweep.glob("*/run.json")}
    assert len(pids) == {"basic": 1, "submitit_local": 2}.get(launcher, len(pids))


def test_the_runs_say_where_they_come_from_and_keep_secrets_to_themselves(shell):
    shell.app(
        "rows_app",
        "-m",
        "+runyard=record",
        "i=1",
        "api_key=do-not-tell",
        "hydra.callbacks.runyard.note=a try",
        "hydra.callbacks.runyard.tags=[one,two]",
        check=0,
    )
    sweep = shell.only_sweep("rows_app")
    run = read_json(sweep / "0" / "run.json")
    origin = run["provenance"]
    assert origin["seed"] == 7
    assert origin["tags"] == ["one", "two"]
    assert origin["note"] == "a try"
    assert {"hydra-core", "omegaconf", "pandas"} <= set(origin["packages"])
    assert origin["host"]["cpu"]
    assert "api_key=***" in run["overrides"]
    ours = ["sweep.json", "config.yaml", "results.csv", "notes.md", "plan.csv", "journal.jsonl", "0/run.json"]
    for name in ours:
        if (sweep / name).exists():
            assert "do-not-tell" not in (sweep / name).read_text(), name


def test_secrets_stay_out_of_our_files_under_our_launcher_too(shell):
    shell.app("rows_app", "-m", "+runyard=local", "i=1,2", "api_key=do-not-tell,nor-this", check=0)
    sweep = shell.only_sweep("rows_app")
    for path in [*sweep.glob("*.*"), *sweep.glob("*/run.json")]:
        if path.name != "multirun.yaml":  # Hydra's own
            assert b"do-not-tell" not in path.read_bytes(), path
    assert (sweep / "snapshot" / "frozen.pkl").stat().st_mode & 0o077 == 0


def test_the_commit_and_the_patch_of_a_dirty_tree_are_kept(shell):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    import subprocess

    (shell.cwd / "code.txt").write_text("before\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], cwd=shell.cwd, check=True)
    (shell.cwd / "code.txt").write_text("after\n")
    shell.app("rows_app", "-m", "+runyard=record", "i=1", check=0)
    sweep = shell.only_sweep("rows_app")
    origin = read_json(sweep / "sweep.json")["provenance"]["git"]
    assert origin["dirty"] is True
    assert sweep.name.split("-")[1] == origin["sha"][:7]
    assert "+after" in (sweep / "snapshot" / "git.patch").read_text()


def test_a_failed_job_ends_hydras_sweep_and_collect_makes_the_files(shell):
    done = shell.app("rows_app", "-m", "+runyard=record", "i=1,2,3", "fail_at=2", check=1)
    assert "runyard collect" in done.stderr
    sweep = shell.only_sweep("rows_app")
    assert not (sweep / "results.csv").exists()
    shell.runyard("collect", sweep.name, check=0)
    assert [r["state"] for r in rows_of(sweep / "results.csv")] == ["COMPLETED", "FAILED", "COMPLETED"]
    assert read_json(sweep / "sweep.json")["state"] == "FAILED"


def test_a_job_that_exits_takes_hydras_sweep_along_and_is_recorded_all_the_same(shell):
    shell.app("rows_app", "-m", "+runyard=record", "i=1,2,3", "exit_at=2", check=5)
    sweep = shell.only_sweep("rows_app")
    shell.runyard("collect", check=0)
    assert [r["state"] for r in rows_of(sweep / "results.csv")] == ["COMPLETED", "FAILED"]


def test_our_sweeper_makes_the_files_also_when_a_job_of_another_launcher_fails(shell):
    shell.app("rows_app", "-m", "+runyard=record", "hydra/sweeper=runyard", "i=1,2,3", "fail_at=2", check=1)
    rows = rows_of(shell.only_sweep("rows_app") / "results.csv")
    assert [r["state"] for r in rows] == ["COMPLETED", "FAILED", "COMPLETED"]


def test_a_single_run_is_recorded_under_outputs(shell):
    shell.app("rows_app", "+runyard=record", "i=4", check=0)
    run_dir = shell.only_sweep("rows_app", "outputs")
    run = read_json(run_dir / "run.json")
    assert (run["state"], run["metrics"], run["params"]) == ("COMPLETED", {"square": 16, "half": 2.0}, {})
    assert read_json(run_dir / "sweep.json")["state"] == "COMPLETED"
    assert not (shell.cwd / "multirun").exists()


@pytest.mark.parametrize(("how", "code"), [("fail_at=4", 1), ("exit_at=4", 5)])
def test_a_single_run_that_fails_is_recorded_as_failed(shell, how, code):
    shell.app("rows_app", "+runyard=record", "i=4", how, check=code)
    run_dir = shell.only_sweep("rows_app", "outputs")
    assert read_json(run_dir / "run.json")["state"] == "FAILED"
    assert read_json(run_dir / "sweep.json")["state"] == "FAILED"


def test_a_directory_of_the_users_own_is_kept(shell):
    shell.app("rows_app", "-m", "+runyard=local", "i=1,2", "hydra.sweep.dir=mine", "hydra.sweep.subdir=i${i}", check=0)
    assert len(rows_of(shell.cwd / "mine" / "results.csv")) == 2
    assert read_json(shell.cwd / "mine" / "i2" / "run.json")["metrics"]["square"] == 4


def test_a_directory_that_is_used_again_keeps_the_earlier_sweep(shell):
    for value in ("1,2", "3,4"):
        shell.app("rows_app", "-m", "+runyard=local", f"i={value}", "hydra.sweep.dir=mine", check=0)
        (shell.cwd / "mine" / "own-notes.txt").touch()
    assert [r["i"] for r in rows_of(shell.cwd / "mine" / "results.csv")] == ["3", "4"]
    (earlier,) = (shell.cwd / "mine" / "previous").iterdir()
    assert [r["i"] for r in rows_of(earlier / "results.csv")] == ["1", "2"]
    assert read_json(earlier / "1" / "run.json")["metrics"]["square"] == 4
    assert (shell.cwd / "mine" / "own-notes.txt").exists()
    assert read_json(shell.cwd / "mine" / "0" / "run.json")["sweep_id"] != earlier.name
    listed = shell.runyard("ls", "--json", check=0).stdout
    assert listed.count('"sweep_id"') == 2


def test_the_launcher_works_alone_and_keeps_to_its_directory(shell):
    shell.app("rows_app", "-m", "hydra/launcher=runyard_local", "i=1,2", "hydra.sweep.dir=mine", check=0)
    assert len(rows_of(shell.cwd / "mine" / "results.csv")) == 2
    assert not (shell.cwd / "multirun").exists()


def test_the_registry_can_be_deleted_and_comes_back_equal(shell):
    shell.app("rows_app", "-m", "+runyard=local", "i=1,2", check=0)
    shell.app("rows_app", "-m", "+runyard=record", "i=1,2", "fail_at=2", check=1)
    shell.app("rows_app", "+runyard=record", "i=3", check=0)
    shell.app("rows_app", "-m", "+runyard=local", "i=1,2", "hydra.sweep.dir=elsewhere/mine", check=0)
    before = shell.runyard("ls", "--json", check=0).stdout
    for registry in shell.cwd.glob("*/.runyard/registry.sqlite"):
        registry.unlink()
    shell.runyard("reindex", check=0)
    assert shell.runyard("ls", "--json", check=0).stdout == before
    assert before.count('"sweep_id"') == 4


def test_an_application_that_chooses_its_own_launcher_is_not_silently_run_by_it(shell):
    (shell.cwd / "conf").mkdir()
    (shell.cwd / "conf" / "config.yaml").write_text(
        "defaults:\n  - override hydra/launcher: joblib\n  - _self_\ni: 0\n"
    )
    (shell.cwd / "own.py").write_text(
        "import hydra\n"
        "@hydra.main(version_base='1.3', config_path='conf', config_name='config')\n"
        "def main(cfg): return {'i': cfg.i}\n"
        "if __name__ == '__main__': main()\n"
    )
    refused = shell.python("own.py", "-m", "+runyard=local", "i=1,2", check=2)
    assert "hydra/launcher=runyard_local" in refused.stderr
    shell.python("own.py", "-m", "+runyard=local", "hydra/launcher=runyard_local", "i=1,2", check=0)
    assert read_json(shell.only_sweep("own") / "sweep.json")["launcher"] == "runyard_local"
