import math
import re

import pytest
from tests.analyze.factory import grid, write_a_sweep

from runyard.analyze import load_sweep
from runyard.base import State
from runyard.record import ErrorInfo
from runyard.report import notes_text, write_notes


def notes(tmp_path, points, task, notmade=(), metric=None, **changes):
    loaded = load_sweep(write_a_sweep(tmp_path / "exp" / "s1", points, task, **changes))
    return notes_text(loaded, notmade, metric)


def test_the_notes_tell_what_was_run(tmp_path):
    points = list(grid(lr=[0.1, 0.2], opt=["adam", "sgd"], depth=range(8), seed=range(3)))
    text = notes(tmp_path, points, lambda p: {"loss": p["lr"]})
    assert text.startswith("# exp, sweep s1\n")
    assert (
        "96 jobs of the experiment `exp` swept `lr` (0.1 and 0.2), `opt` (`adam` and `sgd`) and `depth` "
        "(0 to 7, 8 values), over the seeds `seed` (0, 1 and 2)." in text
    )
    assert "The launcher was `runyard_local` on `box` (Sparrow 3000, 2 CPUs)." in text
    assert "The first job started at 2026-01-31 12:00 UTC and the last ended 1 min 36 s later;" in text
    assert "commit `0123456` on branch `main`, with uncommitted changes (the patch: git.patch)" in text
    assert "All 96 jobs completed." in text


def test_the_notes_tell_both_extremes_and_not_which_is_better(tmp_path):
    points = list(grid(train__lr=[0.1, 0.2, 0.4], opt=["adam", "sgd"], seed=range(3)))
    task = {"adam": 1.0, "sgd": 2.0}
    text = notes(tmp_path, points, lambda p: {"loss": p["train.lr"] + task[p["opt"]] + 0.01 * p["seed"]})
    assert "`loss` was highest, **2.410 ± 0.025**, with `lr=0.4, opt=sgd`" in text
    assert "lowest, **1.110 ± 0.025**, with `lr=0.1, opt=adam`, averaged over the 3 seeds" in text
    assert "Whether high or low is better the data do not say." in text


def test_the_notes_tell_how_far_the_mean_moves_over_each_axis(tmp_path):
    points = list(grid(lr=[0.1, 0.2], opt=["adam", "sgd"]))
    text = notes(tmp_path, points, lambda p: {"loss": p["lr"] + 5 * (p["opt"] == "sgd")})
    assert "strongest first, from 0.15 (`opt=adam`) to 5.15 (`opt=sgd`); from 2.6 (`lr=0.1`) to 2.7 (`lr=0.2`)." in text
    assert "| `opt` | `sgd` | 2 | 5.15 | 5.1 | 5.2 |" in text
    assert "| `lr` | 0.2 | 2 | 2.7 | 0.2 | 5.2 |" in text


def test_an_axis_of_replicates_is_averaged(tmp_path):
    points = list(grid(day=range(4), d=[10, 20, 30]))
    text = notes(tmp_path, points, lambda p: {"savings": p["d"] + p["day"]})
    assert "with `d=30`, and lowest, **11.5 ± 2.1**, with `d=10`, averaged over the 4 values of `day`" in text


def test_every_number_of_a_grid_is_in_the_results(tmp_path):
    text = notes(tmp_path, list(grid(a=[1, 2, 3])), lambda p: {"m": p["a"] ** 2})
    assert re.findall(r"\*\*(.+?)\*\*", text) == ["9", "1"]


def test_failures_are_grouped_by_cause_with_jobs_and_a_log(tmp_path):
    def task(point):
        a = point["a"]
        if a < 3:
            return ErrorInfo(type="ValueError", message=f"bad step {a}\nsecond line")
        return State.TIMEOUT if a == 3 else {"m": a}

    text = notes(tmp_path, list(grid(a=range(6))), task)
    assert "2 of 6 jobs completed; 3 are FAILED and 1 is TIMEOUT." in text
    assert "- FAILED, `ValueError: bad step 0`: 3 jobs (0-2); for the first see `0/output.log`" in text
    assert "- TIMEOUT: job 3; see `3/output.log`" in text
    assert "second line" not in text


def test_jobs_that_never_ran_are_told_apart_from_failures(tmp_path):
    text = notes(tmp_path, list(grid(a=range(6))), lambda p: State.PENDING if p["a"] > 2 else {"m": p["a"]})
    assert "3 of 6 jobs completed; 3 are PENDING." in text
    assert "- PENDING: jobs 3-5" in text


def test_a_message_cannot_break_the_page(tmp_path):
    error = ErrorInfo(type="E", message="a `tick` and | pipe " + "x" * 500)
    text = notes(tmp_path, list(grid(a=["x|y", "`z`"])), lambda p: error)
    assert "`` E: a `tick` and | pipe" in text
    assert max(map(len, text.splitlines())) < 600


def test_a_constant_metric_is_said_to_be_constant(tmp_path):
    text = notes(tmp_path, list(grid(a=[1, 2, 3])), lambda p: {"m": 0.1})
    assert "`m` was 0.1 in all 3 combinations." in text


def test_a_single_job_reads_as_one(tmp_path):
    text = notes(tmp_path, [{}], lambda p: {"m": 2.5})
    assert "1 job of the experiment `exp`, with nothing swept." in text
    assert "It completed. `m` came out at 2.5." in text


def test_only_seeds_give_a_range_and_a_mean(tmp_path):
    text = notes(tmp_path, list(grid(seed=range(4))), lambda p: {"m": p["seed"]})
    assert "`m` came out from 0 to 3, **1.5 ± 2.1** in the mean of 4 jobs, averaged over the 4 seeds" in text


def test_nan_is_told(tmp_path):
    text = notes(tmp_path, list(grid(a=[1, 2, 3])), lambda p: {"m": math.nan if p["a"] == 2 else p["a"]})
    assert "NaN or infinity was reported by 1 job for `m`, and is left out of every mean." in text


def test_without_a_metric_the_notes_say_so(tmp_path):
    assert "No job completed with a metric." in notes(tmp_path, list(grid(a=[1, 2])), lambda p: State.FAILED)


def test_several_metrics_have_a_table(tmp_path):
    text = notes(tmp_path, list(grid(a=[1, 3])), lambda p: {"m": p["a"], "k": 7})
    assert "| `m` | 2 | 2 | 1 | 3 |" in text
    assert "| `k` | 2 | 7 | 7 | 7 |" in text


def test_the_metric_can_be_chosen(tmp_path):
    assert "`k` was 7" in notes(tmp_path, list(grid(a=[1, 3])), lambda p: {"m": p["a"], "k": 7}, metric="k")


def test_what_could_not_be_made_stands_at_the_end(tmp_path):
    text = notes(tmp_path, [{}], lambda p: {"m": 1}, ["results.parquet was not made:\nno pyarrow"])
    assert text.endswith("## What could not be made\n\n- results.parquet was not made: no pyarrow\n")


def test_the_users_note_and_tags_are_kept(tmp_path):
    text = notes(tmp_path, [{}], lambda p: {"m": 1}, note="first try\nwith care", tags=("a", "b"))
    assert "> first try\n> with care" in text
    assert "Tags: `a`, `b`." in text


@pytest.mark.parametrize(
    ("git", "words"),
    [
        ({}, "The code was in no git repository."),
        (
            {"sha": "abcdef0123", "branch": "dev", "dirty": False},
            "`abcdef0` on branch `dev`, with nothing uncommitted.",
        ),
        ({"sha": "abcdef0123"}, "The code was commit `abcdef0`."),
    ],
)
def test_the_commit_is_told_as_far_as_it_is_known(tmp_path, git, words):
    assert words in notes(tmp_path, [{}], lambda p: {"m": 1}, provenance={"git": git})


def test_jobs_from_another_commit_are_told(tmp_path):
    folder = write_a_sweep(tmp_path / "s", list(grid(a=[1, 2])), lambda p: {"m": 1})
    path = folder / "1" / "run.json"
    path.write_text(path.read_text().replace("0123456789abcdef", "fedcba9876543210"))
    assert "Not all jobs ran from the same commit: `0123456` and `fedcba9`" in notes_text(load_sweep(folder))


def test_the_file_is_written_as_the_text(tmp_path):
    loaded = load_sweep(write_a_sweep(tmp_path / "s", list(grid(a=[1, 2])), lambda p: {"m": p["a"]}))
    write_notes(loaded, tmp_path / "notes.md", ["x"])
    assert (tmp_path / "notes.md").read_text(encoding="utf-8") == notes_text(loaded, ["x"])


def test_no_jobs_at_all_are_told(tmp_path):
    assert "There are no jobs." in notes(tmp_path, [], lambda p: {})


def test_sampled_values_have_no_table_of_levels(tmp_path):
    points = [{"lr": i / 7, "wd": i * i / 3} for i in range(30)]
    text = notes(tmp_path, points, lambda p: {"m": p["lr"]})
    assert "| axis |" not in text
    assert "with `lr=4.143, wd=280.3`" in text or "with `lr=4.14, wd=280`" in text
