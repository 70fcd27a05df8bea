import csv
import math
import sys

import pandas as pd
import pytest
from tests.analyze.factory import grid, write_a_sweep

from runyard.analyze import attempt, write_results
from runyard.base import State

POINTS = list(grid(lr=[0.1, 0.2], on=[True, False], seed=range(2)))


def task(point):
    if point["lr"] == 0.2 and point["on"]:
        return State.FAILED
    return {"loss": math.nan if point["seed"] else point["lr"], "steps": 10}


def test_results_csv_tells_a_missing_metric_from_one_that_is_nan(tmp_path):
    folder = write_a_sweep(tmp_path / "s", POINTS, task)
    assert write_results(folder) == []
    with (folder / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["loss"] for row in rows] == ["0.1", "NaN", "0.1", "NaN", "", "", "0.2", "NaN"]
    assert [row["on"] for row in rows[:3]] == ["true", "true", "false"]
    assert [row["steps"] for row in rows[3:5]] == ["10", ""]


def test_results_csv_reads_back_with_its_types(tmp_path):
    folder = write_a_sweep(tmp_path / "s", POINTS, task)
    write_results(folder)
    frame = pd.read_csv(folder / "results.csv")
    assert frame["on"].dtype == bool
    assert frame["lr"].dtype == float
    assert frame["seed"].dtype == "int64"
    assert frame["job"].tolist() == list(range(8))


def test_parquet_holds_the_same_and_tells_null_from_nan(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    folder = write_a_sweep(tmp_path / "s", POINTS, task)
    write_results(folder)
    table = parquet.read_table(folder / "results.parquet")
    loss = table.column("loss").to_pylist()
    assert loss[4] is None
    assert math.isnan(loss[1])
    assert table.column("steps").to_pylist()[:5] == [10, 10, 10, 10, None]
    assert str(table.schema.field("on").type) == "bool"
    assert table.column_names == list(pd.read_csv(folder / "results.csv").columns)


def test_a_column_of_mixed_values_is_text_in_parquet(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    points = [{"x": 1}, {"x": "auto"}, {"x": None}, {"x": 2**70}]
    write_results(write_a_sweep(tmp_path / "s", points, lambda p: {"big": 2**70, "m": 1.5}))
    table = parquet.read_table(tmp_path / "s" / "results.parquet")
    assert table.column("x").to_pylist() == ["1", "auto", "null", str(2**70)]
    assert table.column("big").to_pylist() == [str(2**70)] * 4


def test_without_pyarrow_all_else_is_made_and_a_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    folder = write_a_sweep(tmp_path / "s", POINTS, task)
    (message,) = write_results(folder)
    assert "results.parquet was not made" in message
    assert "runyard[parquet]" in message
    assert (folder / "results.csv").exists()
    assert (folder / "summary.csv").exists()
    assert not (folder / "results.parquet").exists()


def test_summary_csv_has_a_row_per_combination(tmp_path):
    folder = write_a_sweep(tmp_path / "s", POINTS, task)
    write_results(folder)
    frame = pd.read_csv(folder / "summary.csv")
    assert frame["n"].tolist() == [2, 2, 0, 2]
    assert frame["failed"].tolist() == [0, 0, 2, 0]
    assert frame["loss_nan"].tolist() == [1, 1, 0, 1]
    assert frame["loss_mean"].tolist()[:2] == [0.1, 0.1]


def test_a_sweep_without_a_completed_job_has_its_tables_too(tmp_path):
    folder = write_a_sweep(tmp_path / "s", POINTS, lambda p: State.PENDING)
    assert write_results(folder) == []
    frame = pd.read_csv(folder / "results.csv")
    assert list(frame.columns) == [
        *["job", "state", "lr", "on", "seed"],
        *["seconds", "attempts", "run_key", "git_sha", "run_dir"],
    ]
    assert frame["state"].tolist() == ["PENDING"] * 8
    assert pd.read_csv(folder / "summary.csv")["missing"].tolist() == [2, 2, 2, 2]


def test_a_sweep_without_any_job_has_headers_only(tmp_path):
    folder = write_a_sweep(tmp_path / "s", [], lambda p: {})
    assert write_results(folder) == []
    assert (folder / "results.csv").read_text() == "job,state,seconds,attempts,run_key,git_sha,run_dir\n"


def test_writing_again_gives_the_same_bytes_and_leaves_nothing_behind(tmp_path):
    folder = write_a_sweep(tmp_path / "s", POINTS, task)
    write_results(folder)
    before = {path.name: path.read_bytes() for path in folder.glob("*.*")}
    write_results(folder)
    assert {path.name: path.read_bytes() for path in folder.glob("*.*")} == before
    assert not list(folder.glob("*.tmp"))


def test_a_file_that_cannot_be_written_does_not_keep_the_others_from_being_made(tmp_path):
    folder = write_a_sweep(tmp_path / "s", POINTS, task)
    (folder / "results.csv").mkdir()
    (message,) = write_results(folder)
    assert message.startswith("results.csv was not made: IsADirectoryError")
    assert (folder / "summary.csv").exists()


def test_an_attempt_names_the_piece_and_the_error():
    def fails():
        raise ZeroDivisionError("no jobs")

    assert attempt("a file", fails) == ["a file was not made: ZeroDivisionError: no jobs"]
    assert attempt("a file", lambda: None) == []
    assert attempt("a file", lambda: ["half of it is missing"]) == ["half of it is missing"]
