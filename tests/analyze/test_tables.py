import csv
import json

import pytest
from tests.analyze.factory import grid, write_a_sweep

from runyard.analyze import load_sweep, write_results
from runyard.base import State

POINTS = list(grid(lr=[0.1, 0.2], seed=range(2)))


def read(folder, name):
    with (folder / "tables" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def made(tmp_path, rows, task=lambda point: {"m": 1.0}):
    folder = write_a_sweep(tmp_path / "s", POINTS, task, rows=rows)
    assert write_results(folder) == []
    return folder


def test_a_row_has_its_jobs_number_state_and_swept_values_first(tmp_path):
    folder = made(tmp_path, lambda p: {"trials": [{"i": i, "won": i == 1} for i in range(2)]})
    header, first, second, *rest = read(folder, "trials")
    assert header == ["job", "state", "lr", "seed", "i", "won"]
    assert first == ["0", "COMPLETED", "0.1", "0", "0", "false"]
    assert second == ["0", "COMPLETED", "0.1", "0", "1", "true"]
    assert len(rest) == 6


def test_columns_are_the_union_in_the_order_in_which_they_come(tmp_path):
    rows = [{"a": 1}, {"b": "x,y", "a": 2}, {"c": None}]
    folder = made(tmp_path, lambda p: {"t": rows if p["seed"] else []})
    header, *lines = read(folder, "t")
    assert header[4:] == ["a", "b", "c"]
    assert [line[4:] for line in lines[:3]] == [["1", "", ""], ["2", "x,y", ""], ["", "", ""]]


def test_a_column_that_comes_late_in_one_file_is_not_lost(tmp_path):
    folder = made(tmp_path, lambda p: {"t": [{"a": 1}] * 3 + ([{"late": 5}] if p["lr"] == 0.2 and p["seed"] else [])})
    header, *lines = read(folder, "t")
    assert header[4:] == ["a", "late"]
    assert lines[-1][4:] == ["", "5"]
    assert len(lines) == 13


def test_columns_named_like_the_first_ones_get_the_tables_name(tmp_path):
    folder = made(tmp_path, lambda p: {"t": [{"seed": 9, "state": "CA", "t.seed": 1}]})
    header, first, *_ = read(folder, "t")
    assert header == ["job", "state", "lr", "seed", "t.t.seed", "t.state", "t.seed"]
    assert first[4:] == ["9", "CA", "1"]


def test_rows_of_jobs_that_failed_are_there_with_their_state(tmp_path):
    folder = made(tmp_path, lambda p: {"t": [{"a": 1}]}, lambda p: State.FAILED if p["seed"] else {"m": 1})
    assert [line[1] for line in read(folder, "t")[1:]] == ["COMPLETED", "FAILED"] * 2


def test_rows_of_stages_are_gathered_too(tmp_path):
    folder = made(tmp_path, None)
    stage = folder / "2" / "train"
    (stage / "tables").mkdir(parents=True)
    (stage / "stage.json").write_text("{}")
    (stage / "tables" / "epochs.jsonl").write_text('{"loss": 0.5}\n')
    assert write_results(folder) == []
    assert read(folder, "epochs")[1] == ["2", "COMPLETED", "0.2", "0", "0.5"]


def test_a_torn_line_is_left_out(tmp_path):
    folder = made(tmp_path, lambda p: {"t": [{"a": 1}]})
    with (folder / "3" / "tables" / "t.jsonl").open("a") as file:
        file.write('{"a": 2')
    assert write_results(folder) == []
    assert len(read(folder, "t")) == 5


def test_numbers_that_json_does_not_know_are_written_as_words(tmp_path):
    folder = made(tmp_path, lambda p: {"t": [{"a": float("nan"), "b": float("-inf")}]})
    assert read(folder, "t")[1][4:] == ["NaN", "-Infinity"]


def test_there_is_no_folder_without_tables(tmp_path):
    assert not (made(tmp_path, None) / "tables").exists()


def test_nothing_but_the_files_is_left(tmp_path):
    folder = made(tmp_path, lambda p: {"t": [{"a": 1}, {"b": 1}]})
    assert [path.name for path in (folder / "tables").iterdir()] == ["t.csv"]


def test_a_table_that_cannot_be_written_does_not_keep_the_next_from_being_made(tmp_path):
    folder = made(tmp_path, lambda p: {"a": [{"x": 1}], "b": [{"x": 1}]})
    (folder / "tables" / "a.csv").unlink()
    (folder / "tables" / "a.csv").mkdir()
    (folder / "tables" / "b.csv").unlink()
    (message,) = write_results(folder)
    assert message.startswith("tables/a.csv was not made")
    assert len(read(folder, "b")) == 5


@pytest.mark.parametrize("rows", [20_000])
def test_many_rows_are_not_held_in_memory(tmp_path, rows):
    tracemalloc = pytest.importorskip("tracemalloc")
    folder = write_a_sweep(tmp_path / "s", [{"a": 1}], lambda p: {"m": 1})
    (folder / "0" / "tables").mkdir()
    text = json.dumps({"text": "x" * 500})
    (folder / "0" / "tables" / "t.jsonl").write_text(f"{text}\n" * rows)
    loaded = load_sweep(folder)
    tracemalloc.start()
    write_results(folder, loaded=loaded)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000  # the file has 10 MB
    assert len(read(folder, "t")) == rows + 1
