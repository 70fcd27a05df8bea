from __future__ import annotations

import csv
import json

import pytest
from tests.analyze.factory import GIT, grid, write_a_sweep

from runyard.analyze import load_sweep, mixtures_of, write_results
from runyard.base import State
from runyard.record import Code, SweepPaths, save_code

CLEAN = {"git": {"sha": "aaaaaaa0000", "branch": "main", "dirty": False, "patch": None}}


def sweep(tmp_path, origin, *, task=lambda point: {"loss": 0.5}, points=None, **more):
    points = points or list(grid(lr=[0.1, 0.2], seed=[1, 2, 3]))
    folder = write_a_sweep(tmp_path / "line" / "s", points, task, origin=lambda p: {**CLEAN, **origin(p)}, **more)
    return load_sweep(folder)


def at(point, lr, seed):
    return (point["lr"], point["seed"]) == (lr, seed)


def kinds(loaded):
    return [mixture.kind for mixture in mixtures_of(loaded)]


def test_a_clean_sweep_mixes_nothing_and_its_summary_says_so(tmp_path):
    loaded = sweep(tmp_path, lambda point: {"python": "3.11.7", "gpus": [], "packages": {"numpy": "2.0"}})

    assert loaded.mixtures == ()
    assert loaded.mixed == {"mixed": [None, None]}


@pytest.mark.parametrize(
    ("kind", "usual", "odd"),
    [
        ("commit", {}, {"git": {**CLEAN["git"], "sha": "bbbbbbb0000"}}),
        ("package", {"packages": {"numpy": "2.0", "scipy": "1.1"}}, {"packages": {"numpy": "1.26"}}),
        ("python", {"python": "3.11.7"}, {"python": "3.12.0"}),
        ("host", {}, {"host_name": "barn"}),
        ("gpu", {"gpus": ["GPU 0: A100"]}, {"gpus": ["GPU 0: V100"]}),
        ("config", {"overrides": ["wd=1"]}, {"overrides": ["wd=2"]}),
        ("dirty", {}, {"git": {**CLEAN["git"], "dirty": True}}),
        ("code", {"code": {"base": None, "files": {"a.py": "11"}}}, {"code": {"base": None, "files": {"a.py": "22"}}}),
    ],
)
def test_one_run_that_differs_is_found_and_flagged_in_its_row_alone(tmp_path, kind, usual, odd):
    loaded = sweep(tmp_path, lambda point: odd if at(point, 0.2, 2) else usual)

    assert kinds(loaded) == [kind]
    assert any(4 in jobs for jobs in loaded.mixtures[0].values.values())
    assert loaded.mixed == {"mixed": [None, kind]}


def test_two_clean_cells_from_two_commits_are_a_mixture_of_the_sweep_alone(tmp_path):
    other = {"git": {**CLEAN["git"], "sha": "bbbbbbb0000"}}

    loaded = sweep(tmp_path, lambda point: other if point["lr"] == 0.2 else {})

    assert kinds(loaded) == ["commit"]
    assert loaded.mixed == {"mixed": [None, None]}


def test_swept_names_and_what_is_hydras_own_are_no_difference_of_configs(tmp_path):
    loaded = sweep(tmp_path, lambda p: {"overrides": [f"hydra.job.num={p['seed']}", f"+runyard={p['lr']}", "a=1"]})

    assert loaded.mixtures == ()


def test_a_file_that_changed_since_the_sweep_began_is_found_by_its_base(tmp_path):
    base = Code(files={"train.py": "1111111111", "lazy.py": "5555555555"})
    changed = {"code": {"base": base.id, "files": {"train.py": "2222222222"}}}
    usual = {"code": {"base": base.id, "files": {"more.py": "3333333333"}}}
    save_code(SweepPaths(tmp_path / "line" / "s").code, base)

    loaded = sweep(tmp_path, lambda point: changed if at(point, 0.1, 3) else usual)

    assert [m.values for m in loaded.mixtures] == [{"train.py 1111111": (0, 1, 3, 4, 5), "train.py 2222222": (2,)}]


def test_steps_are_read_from_the_end_of_the_tables(tmp_path):
    def rows(point):
        last = 7 if at(point, 0.1, 2) else 10
        return {"curve": [{"step": step, "loss": 1.0} for step in range(last)], "trials": [{"trial": point["seed"]}]}

    loaded = sweep(tmp_path, lambda point: {}, rows=rows)

    assert [m.values for m in loaded.mixtures] == [{"curve.step 6": (1,), "curve.step 9": (0, 2)}]
    assert loaded.mixed == {"mixed": ["progress", None]}


def test_the_rows_of_summary_csv_name_all_kinds_and_other_columns_stay(tmp_path):
    def task(point):
        if at(point, 0.1, 1):
            return State.FAILED
        return State.PENDING if at(point, 0.2, 1) else {"loss": 0.5}

    loaded = sweep(tmp_path, lambda point: {"host_name": f"h{point['seed']}"}, task=task)
    write_results(loaded.dir, loaded=loaded)

    with SweepPaths(loaded.dir).summary_csv.open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:4] == ["lr", "n", "missing", "failed"]
    assert list(rows[0])[-1] == "mixed"
    assert [row["mixed"] for row in rows] == ["host;failed", "host;missing"]


def test_a_seed_that_one_cell_was_not_given_is_missing(tmp_path):
    points = [p for p in grid(lr=[0.1, 0.2, 0.3], seed=[1, 2]) if not at(p, 0.3, 2)]

    loaded = sweep(tmp_path, lambda point: {}, points=points)

    assert [m.sentence for m in loaded.mixtures] == [
        "Means are over fewer runs than there could be: seed 2 not planned in 1 cell."
    ]


def test_cells_that_have_each_their_own_seed_lack_none(tmp_path):
    points = [{"lr": n / 10, "seed": n} for n in range(5)]

    assert sweep(tmp_path, lambda point: {}, points=points).mixtures == ()


def test_a_record_that_cannot_be_read_is_told_apart_from_a_run_that_waits(tmp_path):
    loaded = sweep(tmp_path, lambda point: {})
    (loaded.dir / "3" / "run.json").write_text("{")

    again = load_sweep(loaded.dir)

    assert kinds(again) == ["damaged"]
    assert again.mixtures[0].values == {"run.json": (3,)}


def test_of_runs_that_the_journal_tells_of_the_rest_is_read_from_their_files(tmp_path):
    loaded = sweep(tmp_path, lambda p: {"python": "3.11.7" if p["seed"] < 3 else "3.12.0"})
    with SweepPaths(loaded.dir).journal.open("w") as journal:
        for run in loaded.runs:
            value = {**run.to_json(), "provenance": {"git": {"sha": "aaaaaaa0000"}}}
            journal.write(json.dumps({"t": "", "event": "ended", "job": run.job, "run": value}) + "\n")

    again = load_sweep(loaded.dir)

    assert all("python" not in run.provenance for run in again.runs)
    assert kinds(again) == ["python"]


def test_the_changes_of_a_dirty_tree_are_known_by_their_patch(tmp_path):
    patch = SweepPaths(tmp_path / "line" / "s").patch
    patch.parent.mkdir(parents=True)
    patch.write_text("a change")

    loaded = sweep(tmp_path, lambda point: {"git": {**GIT, "sha": "aaaaaaa0000"}})

    assert kinds(loaded) == ["dirty"]
    (label,) = loaded.mixtures[0].values
    assert label.startswith("aaaaaaa with changes ")
    assert loaded.mixed == {"mixed": ["dirty", "dirty"]}
