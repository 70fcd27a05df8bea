from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from tests.lifecycle.conftest import MakeSweep

from runyard.base import State, SweepState, UsageError
from runyard.lifecycle import Choice, Limits, Status, candidates, choose, judge_sweep, parse_age

C, F, P = SweepState.COMPLETED, SweepState.FAILED, SweepState.PENDING
CANCELLED, LOST = SweepState.CANCELLED, SweepState.LOST
SETTLED = (Status.SUCCESS, Status.FAILED, Status.STALE)
NOW = datetime(2026, 3, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("state", "gates", "age_days", "status"),
    [
        (C, None, 6.9, "active"),
        (C, None, 7.0, "success"),
        (C, True, 400, "success"),
        (C, False, 8, "failed"),
        (F, None, 8, "failed"),
        (F, True, 8, "failed"),
        (CANCELLED, None, 8, "active"),
        (CANCELLED, None, 30, "active"),
        (CANCELLED, None, 30.1, "stale"),
        (LOST, None, 31, "stale"),
        (P, None, 31, "stale"),
        (P, None, 1, "active"),
    ],
)
def test_the_status_follows_from_state_gates_and_age(state, gates, age_days, status):
    assert judge_sweep(state, gates, age_days, Limits()).status.value == status


def test_what_is_at_work_is_active_however_old():
    assert judge_sweep(C, True, 400, Limits(), who="process 1 on n1").status is Status.ACTIVE


def test_the_limits_can_be_set():
    assert judge_sweep(C, None, 0.5, Limits(active_days=0)).status is Status.SUCCESS
    assert judge_sweep(LOST, None, 3, Limits(active_days=1, stale_days=2)).status is Status.STALE


@pytest.mark.parametrize(("text", "age"), [("30d", timedelta(30)), ("1.5 d", timedelta(1.5)), ("2w", timedelta(14))])
def test_ages_are_read(text, age):
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["30", "d", "-3d", "3m", ""])
def test_what_is_no_age_is_refused(text):
    with pytest.raises(UsageError, match="is no age"):
        parse_age(text)


def chosen(root: Path, choice: Choice) -> tuple[set[str], list[str]]:
    found, spared = choose(candidates([root], now=NOW, limits=Limits()), choice, now=NOW)
    return {c.record.sweep_id for c in found}, spared


def test_sweeps_are_chosen_by_status_and_age(make_sweep: MakeSweep, tmp_path: Path):
    make_sweep("a", ended_at="2026-01-01T00:00:00.000Z")
    make_sweep("b", ended_at="2026-02-20T00:00:00.000Z", states=(State.FAILED,))
    make_sweep("c", ended_at="2026-02-27T00:00:00.000Z")
    root = tmp_path / "multirun"
    assert chosen(root, Choice(statuses=SETTLED)) == ({"a", "b"}, [])
    assert chosen(root, Choice(statuses=[Status.FAILED])) == ({"b"}, [])
    assert chosen(root, Choice(statuses=[Status.ACTIVE])) == ({"c"}, [])
    assert chosen(root, Choice(statuses=SETTLED, older_than=timedelta(30))) == ({"a"}, [])


def test_the_best_of_each_experiment_are_spared(make_sweep: MakeSweep, tmp_path: Path):
    for n, loss in enumerate([0.3, 0.1, 0.2]):
        make_sweep(f"s{n}", metrics=[{"loss": loss}, {"loss": 0.9}])
    make_sweep("other", experiment="second", metrics=[{"loss": 5.0}, {"y": 1}])
    make_sweep("none", experiment="second", metrics=[{"x": 1}, {"x": 2}])
    root = tmp_path / "multirun"
    least = Choice(statuses=SETTLED, keep_best=1, metric="loss", mode="min")
    assert chosen(root, least) == ({"s0", "s2", "none"}, ["s1 is kept: loss = 0.1", "other is kept: loss = 5"])
    with pytest.raises(UsageError, match="the best by which metric"):
        chosen(root, Choice(statuses=SETTLED, keep_best=1))


def test_what_is_tagged_keep_is_spared(make_sweep: MakeSweep, tmp_path: Path):
    make_sweep("a", tags=("keep",))
    assert chosen(tmp_path / "multirun", Choice(statuses=SETTLED)) == (set(), ["a is tagged 'keep'"])
