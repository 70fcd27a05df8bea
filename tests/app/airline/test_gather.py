from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from statsmodels.stats.proportion import proportion_confint

from app.workloads.airline.gather import Run, asr_rows, config_hash, gather, wilson
from runyard import UsageError


def a_run(job: int, *, seed: int, successes: int, trials: int, **changes: Any) -> Run:
    values: dict[str, Any] = {"mode": "SEEDED_SHIM", "config_hash": "aaa", "git_sha": "abc1234", "run_time_s": 0.5}
    return Run(job=job, seed=seed, successes=successes, rows=({"trial": 0},) * trials, **{**values, **changes})


def test_seeds_are_pooled_by_their_trials_and_not_by_their_rates() -> None:
    rows = asr_rows("exp", [a_run(0, seed=1, successes=1, trials=2), a_run(1, seed=2, successes=1, trials=8)])
    assert [(row["seed"], row["trials"], row["successes"], row["asr"]) for row in rows] == [
        ("1", 2, 1, 0.5),
        ("2", 8, 1, 0.125),
        ("pooled", 10, 2, 0.2),
    ]
    assert (rows[-1]["asr_low"], rows[-1]["asr_high"]) == pytest.approx(
        proportion_confint(2, 10, alpha=0.05, method="wilson")
    )
    assert rows[-1]["run_time_s"] == 1.0
    assert all(row["note"] == "" for row in rows)


def test_configurations_are_pooled_apart_and_two_commits_are_named() -> None:
    rows = asr_rows(
        "exp",
        [
            a_run(0, seed=1, successes=1, trials=2),
            a_run(1, seed=1, successes=2, trials=2, config_hash="bbb"),
            a_run(2, seed=2, successes=0, trials=2, git_sha="def5678"),
        ],
    )
    assert [(row["config_hash"], row["seed"], row["successes"]) for row in rows] == [
        ("aaa", "1", 1),
        ("aaa", "2", 0),
        ("aaa", "pooled", 1),
        ("bbb", "1", 2),
        ("bbb", "pooled", 2),
    ]
    assert rows[2]["git_sha"] == "abc1234 def5678"


def test_a_pool_of_seeds_without_effect_says_that_they_repeat_the_same_trials() -> None:
    rows = asr_rows("exp", [a_run(job, seed=job, successes=1, trials=3, mode="SHIM") for job in range(2)])
    assert rows[0]["note"] == "SHIM is deterministic: the seed has no effect"
    assert rows[-1]["note"].endswith("; the trials of 2 seeds are the same ones")


@pytest.mark.parametrize(("successes", "trials"), [(0, 5), (5, 5), (3, 5), (6, 10), (1, 1)])
def test_the_interval_is_wilsons_and_stays_within_0_and_1(successes: int, trials: int) -> None:
    z = 1.959963984540054  # Wilson, 1927, by hand
    p = successes / trials
    centre = (p + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * (p * (1 - p) / trials + z * z / (4 * trials**2)) ** 0.5
    low, high = wilson(successes, trials)
    assert (low, high) == pytest.approx((centre - half, centre + half), abs=1e-12)
    assert 0.0 <= low <= p <= high <= 1.0


def test_settings_have_a_hash_in_common_when_only_the_seed_differs() -> None:
    one = {"name": "airline", "seed": 1, "trials": 5, "suffixes": ["a"]}
    assert config_hash(one) == config_hash({**one, "seed": 2}) == config_hash(dict(reversed(one.items())))
    assert len({config_hash({**one, **other}) for other in ({}, {"trials": 6}, {"suffixes": ["b"]})}) == 3


def test_what_is_no_finished_sweep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are no results"):
        gather(tmp_path)
    with (tmp_path / "results.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["job", "state", "run_dir"], [0, "PENDING", "0"]])
    with pytest.raises(UsageError, match="cannot be read") as caught:
        gather(tmp_path)
    assert caught.value.where.endswith("sweep.json")
    assert not (tmp_path / "trials.jsonl").exists()
