"""What a plan says of its jobs before they run, and results that are taken over from an earlier sweep."""

import csv
import os
import re
from pathlib import Path

import pytest
from tests.conftest import read_json, wait_for

APP = """
import os
from pathlib import Path
import hydra
import helper
@hydra.main(version_base='1.3', config_path='conf', config_name='config')
def main(cfg):
    with open('ran.log', 'a') as log:
        log.write(f'{cfg.lr} {cfg.seed}\\n')
    if cfg.lazy:
        import later
    if cfg.lr == 9:
        raise ValueError('nine')
    Path(hydra.core.hydra_config.HydraConfig.get().runtime.output_dir, 'model.txt').write_text('weights')
    import runyard
    runyard.table('rows').append(value=cfg.lr)
    return {'loss': helper.loss(cfg.lr, cfg.depth) + cfg.seed}
if __name__ == '__main__':
    main()
"""
CONFIG = "lr: 0.1\ndepth: 2\nseed: 0\nlazy: false\n"


@pytest.fixture
def program(shell):
    """An application of three files, one of which is only imported by the task."""
    (shell.cwd / "train.py").write_text(APP)
    (shell.cwd / "helper.py").write_text("def loss(lr, depth):\n    return lr * depth\n")
    (shell.cwd / "later.py").write_text("x = 1\n")
    (shell.cwd / "conf").mkdir()
    (shell.cwd / "conf" / "config.yaml").write_text(CONFIG)
    return shell


def _sweep(shell, *arguments, check=0):
    """Runs a sweep; returns its folder and what it said."""
    done = shell.python("train.py", "-m", "+runyard=local", *arguments, check=check)
    return shell.sweeps("train")[-1], done.stdout + done.stderr


def _notes(sweep):
    with (sweep / "plan.csv").open() as file:
        return [row["plan_note"] for row in csv.DictReader(file)]


def _ran(shell):
    log = shell.cwd / "ran.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_a_second_identical_sweep_runs_nothing_and_gives_the_same_results(program):
    grid = ["lr=0.1,0.2,0.3", "hydra.sweeper.seeds=2"]
    first, said = _sweep(program, *grid)
    assert "6 jobs: 6 new" in said
    second, said = _sweep(program, *grid, "hydra.sweeper.reuse=completed")
    assert _ran(program) == 6
    assert "6 jobs: 6 cached" in said
    assert "6 COMPLETED (6 reused)" in said
    for name in ("results.csv", "summary.csv", "tables/rows.csv"):
        assert (second / name).read_bytes() == (first / name).read_bytes()
    assert _notes(second) == [f"cached: {first.name}/{job}" for job in range(6)]
    run = read_json(second / "3" / "run.json")
    assert run["reused"] == {"sweep_id": first.name, "job": 3, "run_dir": str(first / "3")}
    assert run["sweep_id"] == second.name
    assert "6 jobs did not run" in (second / "notes.md").read_text()


def test_files_of_a_reused_run_outlive_the_sweep_that_they_come_from(program):
    first, _ = _sweep(program, "lr=0.1,0.2")
    second, _ = _sweep(program, "lr=0.1,0.2", "hydra.sweeper.reuse=completed")
    for path in sorted(first.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    first.rmdir()
    assert (second / "1" / "model.txt").read_text() == "weights"
    program.runyard("reindex", check=0)
    third, _ = _sweep(program, "lr=0.1,0.2", "hydra.sweeper.reuse=completed")
    assert _notes(third) == [f"cached: {second.name}/{job}" for job in range(2)]
    assert _ran(program) == 2


def test_a_changed_source_file_makes_results_stale_and_the_plan_names_it(program):
    _sweep(program, "lr=0.1,0.2")
    (program.cwd / "helper.py").write_text("def loss(lr, depth):\n    return lr * depth + 1\n")
    second, said = _sweep(program, "lr=0.1,0.2", "hydra.sweeper.reuse=completed")
    assert _notes(second) == ["stale: helper.py changed"] * 2
    assert "2 stale: helper.py changed" in said
    assert _ran(program) == 4
    assert read_json(second / "0" / "run.json")["metrics"]["loss"] == pytest.approx(1.2)


def test_a_file_that_only_the_task_imports_counts_for_the_jobs_that_import_it(program):
    _sweep(program, "lr=0.1,0.2", "lazy=true,false")
    (program.cwd / "later.py").write_text("x = 2\n")
    (program.cwd / "unused.py").write_text("y = 1\n")
    second, _ = _sweep(program, "lr=0.1,0.2", "lazy=true,false", "hydra.sweeper.dry_run=true")
    assert [note.partition(":")[0] for note in _notes(second)] == ["stale", "cached"] * 2
    assert _notes(second)[0] == "stale: later.py changed"


def test_a_changed_config_file_makes_results_stale_and_the_plan_names_the_key(program):
    _sweep(program, "lr=0.1,0.2")
    (program.cwd / "conf" / "config.yaml").write_text(CONFIG.replace("depth: 2", "depth: 3\nwidth: 8"))
    second, _ = _sweep(program, "lr=0.1,0.2,0.3", "hydra.sweeper.dry_run=true")
    assert _notes(second) == ["stale: depth was 2 and is 3; width is new"] * 2 + ["new"]


def test_another_version_of_a_package_makes_results_stale(program):
    first, _ = _sweep(program, "lr=0.1")
    path = first / "0" / "run.json"
    path.write_text(path.read_text().replace('"omegaconf": "', '"omegaconf": "0.'))
    second, _ = _sweep(program, "lr=0.1", "hydra.sweeper.dry_run=true")
    (note,) = _notes(second)
    assert note.startswith("stale: omegaconf was 0.")


def test_failed_jobs_and_duplicates_are_told(program):
    first, _ = _sweep(program, "lr=9,0.1", check=1)
    (program.cwd / "mine.csv").write_text("lr,++lr\n9,\n0.1,\n,0.1\n")
    second, _ = _sweep(program, "hydra.sweeper.table=mine.csv", "hydra.sweeper.dry_run=true")
    assert _notes(second) == [
        f"failed before: FAILED in {first.name}/0",
        f"cached: {first.name}/1",
        "duplicate: as job 1",
    ]


def test_jobs_that_another_sweep_is_about_to_run_are_told(program):
    (program.cwd / "helper.py").write_text("import time\ndef loss(lr, depth):\n    time.sleep(30)\n    return 1\n")
    running = program.start("train.py", "-m", "+runyard=local", "lr=0.1,0.2")
    wait_for(lambda: _ran(program) >= 1)
    other = program.sweeps("train")[0]
    second, _ = _sweep(program, "lr=0.1,0.3", "hydra.sweeper.dry_run=true")
    assert _notes(second) == [f"running elsewhere: {other.name}", "new"]
    running.terminate()
    running.wait()


def test_the_time_that_a_sweep_will_take_is_estimated_from_like_jobs(program):
    first, said = _sweep(program, "lr=0.1,0.2")
    assert "about" not in said  # nothing is known yet
    for path in first.glob("*/run.json"):  # as if they had taken so long: no test waits for that
        path.write_text(re.sub(r'"seconds": [0-9.]+', '"seconds": 30.0', path.read_text()))
    (first / "journal.jsonl").unlink()  # which knows how long they took
    program.runyard("reindex", check=0)
    _, said = _sweep(program, "lr=range(0,240)", "hydra.sweeper.dry_run=true", "hydra.launcher.n_jobs=2")
    assert "240 jobs: 240 new; about 60 min on 2 processes" in said
    _, said = _sweep(program, "lr=0.1,0.2", "hydra.sweeper.dry_run=true", "hydra.launcher.n_jobs=1")
    assert "2 jobs: 2 cached; about 60 s on 1 process\n" in said


def test_a_sweep_that_is_killed_while_it_takes_results_over_goes_on_with_that(program):
    first, _ = _sweep(program, "lr=0.1,0.2")
    planned, _ = _sweep(program, "lr=0.1,0.2", "hydra.sweeper.reuse=completed", "hydra.sweeper.dry_run=true")
    (planned / ".0.reused").mkdir()
    os.link(first / "0" / "model.txt", planned / ".0.reused" / "model.txt")  # as one that was killed half-way leaves it
    program.runyard("resume", planned.name, check=0)
    assert _ran(program) == 2
    assert read_json(planned / "0" / "run.json")["reused"]["sweep_id"] == first.name
    assert not (planned / ".0.reused").exists()


def test_a_folder_in_which_something_is_gets_no_other_runs_files(program):
    _sweep(program, "lr=0.1,0.2")
    planned, _ = _sweep(program, "lr=0.1,0.2", "hydra.sweeper.reuse=completed", "hydra.sweeper.dry_run=true")
    (planned / "0").mkdir()
    (planned / "0" / "mine.txt").write_text("mine")
    program.runyard("resume", planned.name, check=0)
    assert _ran(program) == 3
    assert [read_json(planned / str(job) / "run.json")["reused"] is None for job in range(2)] == [True, False]
    assert (planned / "0" / "mine.txt").read_text() == "mine"


def test_an_unknown_choice_of_reuse_is_refused(program):
    done = program.python("train.py", "-m", "+runyard=local", "lr=1,2", "hydra.sweeper.reuse=complete", check=2)
    assert "hydra.sweeper.reuse" in done.stderr
    assert "completed" in done.stderr
    assert not Path(program.cwd, "multirun").exists() or not program.sweeps("train")
