from __future__ import annotations

import csv
import math
import multiprocessing
from pathlib import Path

import pytest
from tests.lifecycle.conftest import MakeSweep

from runyard.base import RecordError
from runyard.lifecycle import (
    LeaderboardEntry,
    add_to_leaderboard,
    entry_of,
    read_leaderboard,
    sorted_rows,
    subject_of,
    subjects_of,
)


def an_entry(run_id: str = "a/0", **changes: object) -> LeaderboardEntry:
    fields: dict[str, object] = {
        "run_id": run_id,
        "timestamp": "2026-01-31T12:00:00.000Z",
        "metrics": {"loss": 0.1},
        "extra": {"commit": "abc"},
        "usual": {"label": "full_eval", "config": "lr=1", "notes": "", "tags": ""},
    }
    return LeaderboardEntry(**{**fields, **changes})  # type: ignore[arg-type]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_of_a_sweep_has_its_row(make_sweep: MakeSweep, tmp_path: Path):
    found = make_sweep(note="a note", tags=("x", "y"))
    path = tmp_path / "boards" / "leaderboard.csv"
    added = add_to_leaderboard(path, [entry_of(subject) for subject in subjects_of(found)])
    assert (added.new, added.changed) == (2, 0)
    assert rows(path)[1] == {
        "run_id": f"{found.name}/1",
        "timestamp": "2026-01-31T12:03:20.000Z",
        "label": "full_eval",
        "config": "seed=1",
        "notes": "a note",
        "tags": "x;y",
        "metric:loss": "0.6",
        "extra:experiment": "study",
        "extra:run_key": "1-1",
        "extra:commit": "abc1234def",
        "extra:seconds": "2.5",
    }


def test_adding_twice_adds_once(make_sweep: MakeSweep, tmp_path: Path):
    found, path = make_sweep(), tmp_path / "leaderboard.csv"
    entries = [entry_of(subject) for subject in subjects_of(found)]
    add_to_leaderboard(path, entries)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    added = add_to_leaderboard(path, [*entries, entry_of(subject_of(found, 0))])
    assert (added.new, added.changed) == (0, 0)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_columns_are_the_union_and_a_person_s_own_stay(tmp_path: Path):
    path = tmp_path / "leaderboard.csv"
    add_to_leaderboard(path, [an_entry()])
    lines = path.read_text().splitlines()
    path.write_text(f"{lines[0]},mine\n{lines[1]},good\n")
    add_to_leaderboard(path, [an_entry("a/1", metrics={"nrmse": 0.2}, extra={"host": "n1"})])
    first, second = rows(path)
    assert list(first)[6:] == ["metric:loss", "metric:nrmse", "extra:commit", "extra:host", "mine"]
    assert (first["mine"], first["metric:nrmse"], second["metric:loss"], second["mine"]) == ("good", "", "", "")


def test_a_run_s_label_and_notes_stay_unless_they_are_given_again(tmp_path: Path):
    path = tmp_path / "leaderboard.csv"
    add_to_leaderboard(path, [an_entry(label="champion", config="production/best", notes="mine")])
    add_to_leaderboard(path, [an_entry(metrics={"loss": 0.2})])
    (row,) = rows(path)
    assert (row["label"], row["config"], row["notes"]) == ("champion", "production/best", "mine")
    assert row["metric:loss"] == "0.2"
    assert add_to_leaderboard(path, [an_entry(label="small_eval", metrics={"loss": 0.2})]).changed == 1
    assert rows(path)[0]["label"] == "small_eval"


def test_numbers_read_back_the_same(tmp_path: Path):
    values = {"third": 1 / 3, "count": 7, "nan": math.nan, "inf": math.inf}
    path = tmp_path / "leaderboard.csv"
    add_to_leaderboard(path, [an_entry(metrics=values)])
    (row,) = rows(path)
    assert float(row["metric:third"]) == 1 / 3 and row["metric:count"] == "7"
    assert math.isnan(float(row["metric:nan"])) and float(row["metric:inf"]) == math.inf


def test_the_markdown_is_the_same_table(tmp_path: Path):
    path = tmp_path / "leaderboard.csv"
    add_to_leaderboard(path, [an_entry(notes="a | b\nc"), an_entry("a/1")], markdown=tmp_path / "board.md")
    assert (tmp_path / "board.md").read_text().splitlines()[2:5] == [
        "| run_id | timestamp | label | config | notes | loss | commit |",
        "| --- | --- | --- | --- | --- | ---: | --- |",
        "| a/0 | 2026-01-31T12:00:00.000Z | full_eval | lr=1 | a \\| b c | 0.1 | abc |",
    ]


def test_the_best_comes_first_and_what_has_no_value_last(tmp_path: Path):
    entries = [an_entry(f"a/{n}", metrics={"loss": value}) for n, value in enumerate([0.3, math.nan, 0.1])]
    board = add_to_leaderboard(tmp_path / "b.csv", [*entries, an_entry("a/3", metrics={})]).board
    assert [row["run_id"] for row in sorted_rows(board, "loss", "min")][:2] == ["a/2", "a/0"]
    assert [row["run_id"] for row in sorted_rows(board, "loss", "max")][:2] == ["a/0", "a/2"]


def test_a_file_of_another_kind_is_not_written_over(tmp_path: Path):
    path = tmp_path / "results.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(RecordError, match="not a leaderboard"):
        add_to_leaderboard(path, [an_entry()])
    assert path.read_text() == "a,b\n1,2\n"


def test_without_a_file_the_leaderboard_is_empty(tmp_path: Path):
    assert read_leaderboard(tmp_path / "none.csv").rows == ()


def _add(path: Path, worker: int) -> None:
    for n in range(20):
        add_to_leaderboard(path, [an_entry(f"{worker}/{n}", metrics={f"m{worker}": n})])


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path):
    path = tmp_path / "leaderboard.csv"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_add, args=(path, n)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert {row["run_id"] for row in rows(path)} == {f"{w}/{n}" for w in range(3) for n in range(20)}
