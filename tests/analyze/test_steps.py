from __future__ import annotations

import json

import pytest

from runyard.analyze.steps import last_steps


def write(folder, name, rows, *, torn=""):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + torn)


@pytest.mark.parametrize("column", ["step", "epoch", "agent_step", "train/iteration", "Step"])
def test_the_last_step_is_that_of_the_last_row(tmp_path, column):
    write(tmp_path / "tables", "curve", [{column: n, "loss": 1.0} for n in range(0, 3000, 5)])

    assert last_steps(tmp_path) == {f"curve.{column}": 2995}


def test_a_torn_last_line_does_not_count(tmp_path):
    write(tmp_path / "tables", "curve", [{"step": 1}, {"step": 2}], torn='{"step": 3')

    assert last_steps(tmp_path) == {"curve.step": 2}


def test_a_second_attempt_that_began_anew_counts(tmp_path):
    write(tmp_path / "tables", "curve", [{"step": n} for n in (*range(90), *range(40))])

    assert last_steps(tmp_path) == {"curve.step": 39}


def test_tables_of_stages_are_read_too(tmp_path):
    write(tmp_path / "train" / "tables", "curve", [{"step": 7}])
    (tmp_path / "train" / "stage.json").write_text("{}")

    assert last_steps(tmp_path) == {"curve.step": 7}


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"trial": 5}],
        [{"steps": 5}],
        [{"step": "five"}],
        [{"step": True}],
        [{"step": 7}, {"step": 3}],
        [{"first_step": 7}, {"loss": 3}],
    ],
)
def test_what_counts_no_steps_is_passed_over(tmp_path, rows):
    write(tmp_path / "tables", "curve", rows)

    assert last_steps(tmp_path) == {}


def test_a_job_without_tables_has_none(tmp_path):
    assert last_steps(tmp_path / "nowhere") == {}
