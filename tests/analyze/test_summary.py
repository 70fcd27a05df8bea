import math

import pytest

from runyard.analyze import JobTable, summary_columns


@pytest.mark.parametrize("name", ["seed", "+seed", "++seed", "trainer.seed", "+a.b.seed"])
def test_a_seed_is_a_name_whose_last_part_is_seed(name):
    assert JobTable(columns={}, names=(name,), metrics=()).is_seed(name)


@pytest.mark.parametrize("name", ["Seed", "seeds", "seed.kind", "my_seed", "seed_everything"])
def test_other_names_are_no_seeds(name):
    assert not JobTable(columns={}, names=(name,), metrics=()).is_seed(name)


def table(rows, names, metrics=("m",)):
    keys = ["state", *names, *metrics]
    columns = {"job": list(range(len(rows))), **{k: [row[i] for row in rows] for i, k in enumerate(keys)}}
    return JobTable(columns=columns, names=tuple(names), metrics=tuple(metrics))


def test_jobs_that_differ_in_their_seed_make_one_row():
    rows = [("COMPLETED", lr, seed, lr + seed) for lr in (1.0, 2.0) for seed in (0, 1, 2)]
    summary = summary_columns(table(rows, ["lr", "trainer.seed"]))
    assert list(summary) == ["lr", "n", "missing", "failed", "m_mean", "m_std", "m_ci95"]
    assert summary["lr"] == [1.0, 2.0]
    assert summary["n"] == [3, 3]
    assert summary["m_mean"] == [2.0, 3.0]
    assert summary["m_std"] == [1.0, 1.0]
    assert summary["m_ci95"] == pytest.approx([2.484138] * 2)


def test_every_state_is_counted_once():
    states = [
        "COMPLETED",
        "PENDING",
        "RUNNING",
        "CANCELLED",
        "FAILED",
        "TIMEOUT",
        "OUT_OF_MEMORY",
        "LOST",
        "PREEMPTED",
    ]
    summary = summary_columns(table([(state, 1, None) for state in states], ["a"]))
    assert (summary["n"], summary["missing"], summary["failed"]) == ([1], [3], [5])


def test_one_job_a_combination_has_a_mean_and_no_interval():
    summary = summary_columns(table([("COMPLETED", 1, 5.0), ("FAILED", 2, None)], ["a"]))
    assert summary["m_mean"] == [5.0, None]
    assert summary["m_std"] == [None, None]
    assert summary["m_ci95"] == [None, None]


def test_values_that_cannot_be_averaged_have_columns_of_their_own_when_there_are_any():
    values = [2.0, math.nan, None, math.inf, 4.0]
    summary = summary_columns(table([("COMPLETED", 1, i, v) for i, v in enumerate(values)], ["a", "seed"]))
    assert list(summary)[-3:] == ["m_nan", "m_inf", "m_absent"]
    assert (summary["n"], summary["m_mean"]) == ([5], [3.0])
    assert (summary["m_nan"], summary["m_inf"], summary["m_absent"]) == ([1], [1], [1])


def test_a_swept_name_that_is_one_of_the_counts_gets_a_prefix():
    summary = summary_columns(table([("COMPLETED", 10, 1.0)], ["n"]))
    assert summary["params.n"] == [10]
    assert summary["n"] == [1]


def test_only_seeds_swept_make_one_row():
    summary = summary_columns(table([("COMPLETED", s, float(s)) for s in range(4)], ["seed"]))
    assert summary["m_mean"] == [1.5]


def test_no_job_makes_no_row():
    assert summary_columns(table([], ["a"]))["n"] == []


def test_what_the_sweep_calls_a_repetition_is_one() -> None:
    columns = {"job": [0, 1], "state": ["COMPLETED"] * 2, "lr": [1, 1], "fold": [0, 1], "m": [1.0, 3.0]}
    table = JobTable(columns=columns, names=("lr", "fold"), metrics=("m",), replicate="fold")
    summary = summary_columns(table)
    assert "fold" not in summary
    assert (summary["lr"], summary["n"], summary["m_mean"]) == ([1], [2], [2.0])
