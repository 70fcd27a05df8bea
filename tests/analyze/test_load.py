import pytest
from tests.analyze.factory import grid, write_a_sweep

from runyard.analyze import load_sweep
from runyard.base import RecordError, State, SweepState
from runyard.record import SweepPaths

POINTS = list(grid(lr=[0.1, 0.2], opt=["adam", "sgd"], seed=range(2)))


def loss(point):
    return {"loss": point["lr"] + point["seed"]}


def test_a_sweep_is_loaded_with_its_axes_and_metrics(tmp_path):
    loaded = load_sweep(write_a_sweep(tmp_path / "exp" / "s1", POINTS, loss))
    assert loaded.names == ("lr", "opt", "seed")
    assert loaded.metrics == ("loss",)
    assert [(axis.name, axis.kind, axis.role) for axis in loaded.axes] == [
        ("lr", "numeric", "setting"),
        ("opt", "categorical", "setting"),
        ("seed", "numeric", "seed"),
    ]
    assert loaded.sweep.experiment == "exp"
    assert loaded.results.shape == (8, 11)
    assert loaded.summary["loss_mean"].tolist() == pytest.approx([0.6, 0.6, 0.7, 0.7])
    assert loaded.problems == ()


def test_jobs_that_have_not_run_have_the_same_typed_values_as_those_that_have(tmp_path):
    points = list(grid(lr=[0.1, 1.0], on=[True, False], layers=[[1, 2], [3]]))
    folder = write_a_sweep(tmp_path / "s", points, lambda p: State.PENDING if p["on"] else {"m": 1})
    loaded = load_sweep(folder)
    assert [axis.kind for axis in loaded.axes] == ["numeric", "bool", "categorical"]
    assert [len(axis.values) for axis in loaded.axes] == [2, 2, 2]
    assert loaded.table.columns["state"].count("PENDING") == 4


def test_without_a_plan_the_names_are_those_of_the_runs(tmp_path):
    loaded = load_sweep(write_a_sweep(tmp_path / "s", POINTS, loss, plan=False))
    assert loaded.names == ("lr", "opt", "seed")
    assert len(loaded.runs) == 8


def test_names_keep_the_order_of_the_plan(tmp_path):
    loaded = load_sweep(write_a_sweep(tmp_path / "s", POINTS, loss, names=["seed", "opt", "lr"]))
    assert loaded.names == ("seed", "opt", "lr")


def test_a_sweep_record_that_cannot_be_read_is_a_problem_and_not_the_end(tmp_path):
    folder = write_a_sweep(tmp_path / "exp" / "s", POINTS, loss)
    SweepPaths(folder).sweep_json.write_text("{")
    loaded = load_sweep(folder)
    assert loaded.sweep.state is SweepState.LOST
    assert loaded.sweep.experiment == "exp"
    assert loaded.sweep.provenance["git"]["branch"] == "main"
    assert "sweep.json" in loaded.problems[0]
    assert len(loaded.runs) == 8


def test_a_plan_that_cannot_be_read_is_a_problem(tmp_path):
    folder = write_a_sweep(tmp_path / "s", POINTS, loss)
    SweepPaths(folder).plan_csv.write_text("hello\nx\n")
    loaded = load_sweep(folder)
    assert "plan.csv" in loaded.problems[0]
    assert len(loaded.runs) == 8


def test_a_run_record_that_cannot_be_read_is_a_problem_that_names_the_job(tmp_path):
    folder = write_a_sweep(tmp_path / "s", POINTS, loss)
    (folder / "3" / "run.json").write_text("{")
    loaded = load_sweep(folder)
    assert "job 3" in loaded.problems[0]
    assert loaded.table.columns["state"][3] == "PENDING"


def test_a_directory_that_is_no_sweep_is_an_error(tmp_path):
    with pytest.raises(RecordError, match="not the directory of a sweep"):
        load_sweep(tmp_path)
