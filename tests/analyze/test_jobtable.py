import math
from pathlib import Path

import pandas as pd
import pytest

from runyard.analyze import job_table, results_frame
from runyard.base import State
from runyard.record import Attempt, RunRecord


def run(job=0, params=None, metrics=None, **changes):
    attempt = Attempt(n=1, state=State.COMPLETED, started_at="", host="box", pid=1)
    values = {
        "sweep_id": "s",
        "job": job,
        "run_key": f"key{job}",
        "state": State.COMPLETED,
        "overrides": (),
        "params": params or {},
        "metrics": metrics or {},
        "run_dir": f"/sweeps/s/{job}",
        "attempts": (attempt,),
        "seconds": 1.5,
        "provenance": {"git": {"sha": "0123456789"}},
    }
    return RunRecord(**(values | changes))


def test_columns_stand_in_the_order_of_the_file_contract():
    runs = [run(0, {"b": 1, "a": 2}, {"z": 1}), run(1, {"b": 1, "a": 3}, {"y": 2, "z": 3})]
    frame = results_frame(runs, ["b", "a"], sweep_dir=Path("/sweeps/s"))
    last = ["seconds", "attempts", "run_key", "git_sha", "run_dir"]
    assert list(frame.columns) == ["job", "state", "b", "a", "z", "y", *last]
    assert frame.iloc[1].to_dict() == {
        "job": 1,
        "state": "COMPLETED",
        "b": 1,
        "a": 3,
        "z": 3,
        "y": 2,
        "seconds": 1.5,
        "attempts": 1,
        "run_key": "key1",
        "git_sha": "0123456",
        "run_dir": "1",
    }


def test_types_are_those_of_the_values():
    runs = [
        run(0, {"i": "1", "f": "0.5", "b": "true", "s": "x", "g": 1}, {"n": 3, "full": 1}),
        run(1, {"i": 2, "f": 1.0, "b": False, "s": "y"}, {"full": 2}),
    ]
    frame = results_frame(runs, ["i", "f", "b", "s", "g"])
    kinds = {name: str(kind) for name, kind in frame.dtypes.items() if name in ("i", "f", "b", "s", "g", "n", "full")}
    assert kinds == {
        "i": "int64",
        "f": "float64",
        "b": "bool",
        "s": "object",
        "g": "Int64",
        "n": "Int64",
        "full": "int64",
    }
    assert frame["g"].isna().tolist() == [False, True]


def test_a_missing_metric_and_one_that_is_nan_are_told_apart_in_the_cells():
    table = job_table([run(0, metrics={"m": math.nan}), run(1)], [])
    assert math.isnan(table.columns["m"][0])
    assert table.columns["m"][1] is None


@pytest.mark.parametrize("name", ["seconds", "state", "job", "lr"])
def test_a_metric_with_a_taken_name_gets_a_prefix(name):
    table = job_table([run(0, {"lr": 1}, {name: 7})], ["lr"])
    assert table.metrics == (f"metrics.{name}",)
    assert table.columns[f"metrics.{name}"] == [7]


def test_a_swept_name_that_is_one_of_our_columns_gets_a_prefix():
    table = job_table([run(0, {"seconds": 10}, {"params.seconds": 5})], ["seconds"])
    assert table.names == ("params.seconds",)
    assert table.metrics == ("metrics.params.seconds",)
    assert table.columns["params.seconds"] == [10]


def test_a_prefix_never_meets_another_metric():
    table = job_table([run(0, {}, {"seconds": 1, "metrics.seconds": 2})], [])
    assert table.metrics == ("metrics.metrics.seconds", "metrics.seconds")
    assert [table.columns[m] for m in table.metrics] == [[1], [2]]


def test_whole_numbers_beyond_64_bits_do_not_break_the_frame():
    frame = results_frame([run(0, metrics={"big": 2**70})], [])
    assert frame["big"].tolist() == [float(2**70)]


def test_a_folder_elsewhere_stays_as_it_is():
    table = job_table([run(0, run_dir="/other/0")], [], sweep_dir=Path("/sweeps/s"))
    assert table.columns["run_dir"] == ["/other/0"]


def test_no_job_gives_an_empty_frame_with_all_columns():
    frame = results_frame([], ["lr"])
    assert len(frame) == 0
    assert list(frame.columns)[:3] == ["job", "state", "lr"]
    assert isinstance(frame, pd.DataFrame)


@pytest.mark.parametrize("provenance", [{}, {"git": None}, {"git": {"sha": None}}, {"git": "x"}])
def test_without_a_commit_the_cell_is_empty(provenance):
    assert job_table([run(0, provenance=provenance)], []).columns["git_sha"] == [None]
