from __future__ import annotations

import json
import math
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from runyard import table
from runyard.base import UsageError
from runyard.record import open_table, read_rows, table_files
from runyard.testing import active_run


def test_rows_are_read_in_the_order_in_which_they_were_added(tmp_path: Path) -> None:
    rows = open_table(tmp_path / "tables", "trials")
    rows.append(i=1)
    rows.append({"i": 2, "j": 3}, j=4)
    rows.extend([{"i": 3}, {"other": "x"}])
    rows.extend([])
    found = list(read_rows(tmp_path / "tables" / "trials.jsonl"))
    assert found == [{"i": 1}, {"i": 2, "j": 4}, {"i": 3}, {"other": "x"}]


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        (1, 1),
        (1.5, 1.5),
        ("ü", "ü"),
        (True, True),
        (None, None),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.float32("nan"), "NaN"),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (np.array(7), 7),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 12, tzinfo=timezone.utc), "2026-01-31T12:00:00+00:00"),
        (pd.Timestamp("2026-01-31"), "2026-01-31T00:00:00"),
        (pd.NaT, None),
        (pd.NA, None),
    ],
)
def test_a_cell_is_read_as(tmp_path: Path, cell: Any, read: Any) -> None:
    open_table(tmp_path, "t").append(x=cell)
    (row,) = read_rows(tmp_path / "t.jsonl")
    assert row == {"x": read}


@pytest.mark.parametrize("cell", [[1], {"a": 1}, np.array([1, 2]), object(), b"x", 1j])
def test_what_is_no_cell_is_refused_and_no_row_is_written(tmp_path: Path, cell: Any) -> None:
    rows = open_table(tmp_path, "t")
    with pytest.raises(TypeError, match="a table's cell holds"):
        rows.extend([{"x": 1}, {"x": cell}])
    assert not (tmp_path / "t.jsonl").exists()


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "a\\b", "../x", "a\0b"])
def test_a_name_that_cannot_be_a_files_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be named"):
        open_table(tmp_path, name)


@pytest.mark.parametrize("torn", [b'{"i": 2', b"\xff", b"\x00\x00", b"[1]\n", b"3\n"])
def test_a_torn_line_costs_no_other_row(tmp_path: Path, torn: bytes) -> None:
    (tmp_path / "t.jsonl").write_bytes(b'{"i": 1}\n' + torn)
    assert list(read_rows(tmp_path / "t.jsonl")) == [{"i": 1}]


def test_a_row_of_any_length_is_one_line(tmp_path: Path) -> None:
    open_table(tmp_path, "t").append(text="two\nlines\u2028" * 10_000)
    (line,) = (tmp_path / "t.jsonl").read_bytes().splitlines()
    assert json.loads(line)["text"] == "two\nlines\u2028" * 10_000


def test_the_rows_of_a_run_are_found_its_own_first_and_then_its_stages(tmp_path: Path) -> None:
    for name in ("tables/b", "tables/a", "train/tables/c", "eval/tables/a", "other/tables/x"):
        open_table((tmp_path / name).parent, Path(name).name).append(i=1)
    for stage in ("train", "eval"):
        (tmp_path / stage / "stage.json").write_text("{}")
    found = [str(p.relative_to(tmp_path)) for p in table_files(tmp_path)]
    assert found == ["tables/a.jsonl", "tables/b.jsonl", "eval/tables/a.jsonl", "train/tables/c.jsonl"]


def test_a_task_writes_to_the_run_at_work(tmp_path: Path) -> None:
    with active_run(tmp_path) as run:
        table("t").append(i=1)
        with run.inside(tmp_path / "train" / "tables"):
            table("t").append(i=2)
        table("t").append(i=3)
    assert [r["i"] for r in read_rows(tmp_path / "tables" / "t.jsonl")] == [1, 3]
    assert [r["i"] for r in read_rows(tmp_path / "train" / "tables" / "t.jsonl")] == [2]


def test_without_a_run_a_table_says_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"\+runyard=local"):
        table("t")
