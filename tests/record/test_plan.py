from __future__ import annotations

from pathlib import Path

import pytest

from runyard.base import RecordError, UsageError
from runyard.record import PlanRow, read_plan, read_plan_table, write_plan

ROWS = [
    PlanRow(job=0, run_key="1-a", run_dir="0", values={"lr": "0.1", "+note": "'a, b'"}),
    PlanRow(job=1, run_key="1-b", run_dir="sub/1", values={"lr": '"quoted"', "+note": "two\nlines"}),
    PlanRow(job=2, run_key="1-c", run_dir="2", values={"lr": "[1,2]", "+note": ""}),
]


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_plan(tmp_path / "plan.csv", ROWS, ["lr", "+note"])
    assert read_plan(tmp_path) == ROWS


def test_a_plan_can_be_run_again_as_a_table(tmp_path: Path) -> None:
    write_plan(tmp_path / "plan.csv", ROWS, ["lr", "+note"])
    assert read_plan_table(tmp_path / "plan.csv") == [
        {"lr": "0.1", "+note": "'a, b'"},
        {"lr": '"quoted"', "+note": "two\nlines"},
        {"lr": "[1,2]"},
    ]


def test_without_a_plan_there_are_no_rows(tmp_path: Path) -> None:
    assert read_plan(tmp_path) == []


@pytest.mark.parametrize(
    "text",
    ["a,b\n1,2\n", "job,run_key,lr,run_dir\nx,1-a,0.1,0\n", "run_key,lr,run_dir\n1-a,0.1,0\n", "job,run_key\n1\n"],
)
def test_a_file_that_is_no_plan_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.csv").write_text(text)
    with pytest.raises(RecordError, match="not a plan"):
        read_plan(tmp_path)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("lr\n1\n2\n", [{"lr": "1"}, {"lr": "2"}]),
        ("lr,seed\n1,2\n", [{"lr": "1", "seed": "2"}]),
        ("\ufefflr\n1\n", [{"lr": "1"}]),
        ("lr , seed\n 1 , 2 \n", [{"lr": "1", "seed": "2"}]),
        ("lr,seed\r\n1,2\r\n", [{"lr": "1", "seed": "2"}]),
        ("lr,seed\n1,\n,2\n", [{"lr": "1"}, {"seed": "2"}]),
        ("lr,seed\n1\n", [{"lr": "1"}]),
        ("lr\n\n1\n\n", [{"lr": "1"}]),
        ("job,run_key,lr,run_dir\n7,k,1,x\n", [{"lr": "1"}]),
        ('x\n"[1,2]"\n"a=""b"""\n', [{"x": "[1,2]"}, {"x": 'a="b"'}]),
        ("db@pkg,+x.y\nmysql,1\n", [{"db@pkg": "mysql", "+x.y": "1"}]),
    ],
)
def test_a_table_gives_override_keys_and_values(tmp_path: Path, text: str, rows: list[dict[str, str]]) -> None:
    (tmp_path / "t.csv").write_bytes(text.encode())
    assert read_plan_table(tmp_path / "t.csv") == rows


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ("", "the table is empty", ""),
        ("\n\n", "the table is empty", ""),
        (" , \n1,2\n", "the table is empty", ""),
        ("lr\n", "the table has no rows", ""),
        ("lr\n\n\n", "the table has no rows", ""),
        ("lr,,seed\n1,2,3\n", "column 2 of the table has no name", ""),
        ("lr,seed,lr\n1,2,3\n", "column 'lr' comes twice", ""),
        ("job,run_dir\n1,2\n", "no column of the table names an override", ""),
        ("lr,seed\n1,2\n1,2,3\n", "3 cells under 2 columns", ", line 3"),
    ],
)
def test_a_table_that_makes_no_sense_says_why(tmp_path: Path, text: str, what: str, where: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_plan_table(path)
    assert (caught.value.what, caught.value.where) == (what, f"{path}{where}")
    assert caught.value.todo


@pytest.mark.parametrize("content", [None, b"lr\n\xff\xfe\n"])
def test_a_table_that_cannot_be_read_is_an_error_of_the_user(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(UsageError, match="the table cannot be read"):
        read_plan_table(tmp_path / "t.csv")


def test_a_folder_is_not_a_table(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the table cannot be read"):
        read_plan_table(tmp_path)
