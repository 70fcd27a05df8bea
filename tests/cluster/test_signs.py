from __future__ import annotations

from pathlib import Path

import pytest

from runyard.cluster.signs import (
    Beat,
    End,
    Pulse,
    Silence,
    cancelled_jobs,
    go_on,
    is_over,
    is_stopped,
    read_beat,
    read_end,
    say_stop,
    wish_to_cancel,
)
from runyard.record import SweepPaths


@pytest.fixture
def sweep_dir(tmp_path: Path) -> Path:
    SweepPaths(tmp_path).slurm.mkdir()
    return tmp_path


def ended(sweep_dir: Path, worker: str, text: str) -> None:
    (SweepPaths(sweep_dir).slurm / f"{worker}.end").write_text(text)


def test_a_worker_tells_what_it_runs_and_no_more_than_once_a_second(sweep_dir: Path) -> None:
    pulse = Pulse(sweep_dir, "9_0", restarts=1, node="n2")
    assert pulse.beat([3, 4])
    assert not pulse.beat([])
    assert read_beat(sweep_dir, "9_0") == Beat(count=1, restarts=1, node="n2", jobs=(3, 4))


def test_a_worker_that_has_told_nothing_has_no_beat_and_no_end(sweep_dir: Path) -> None:
    assert read_beat(sweep_dir, "9_0") is None
    assert read_end(sweep_dir, "9_0") is None
    assert not is_over(sweep_dir, "9_0", 0)


@pytest.mark.parametrize(("text", "expected"), [("137 1\n", End(code=137, restarts=1)), ("", None), ("x y", None)])
def test_the_shells_word_of_an_end_is_read(sweep_dir: Path, text: str, expected: End | None) -> None:
    ended(sweep_dir, "9_0", text)
    assert read_end(sweep_dir, "9_0") == expected


def test_a_life_is_over_when_it_has_ended_or_another_has_begun(sweep_dir: Path) -> None:
    ended(sweep_dir, "9_0", "137 1")
    assert [is_over(sweep_dir, "9_0", life) for life in (0, 1, 2)] == [True, True, False]
    Pulse(sweep_dir, "9_0", restarts=3, node="n1").beat([])
    assert [is_over(sweep_dir, "9_0", life) for life in (1, 2, 3)] == [True, True, False]


def test_silence_is_measured_from_the_last_news_by_ones_own_clock(sweep_dir: Path) -> None:
    now = [100.0]
    silence = Silence(sweep_dir, clock=lambda: now[0])
    assert silence.of("9_0") == 0
    now[0] = 103.0
    assert silence.of("9_0") == 3
    Pulse(sweep_dir, "9_0", restarts=0, node="n1").beat([])
    assert silence.of("9_0") == 0


def test_words_to_the_workers_are_left_and_taken_back(sweep_dir: Path) -> None:
    assert cancelled_jobs(sweep_dir) == frozenset()
    wish_to_cancel(sweep_dir, [3, 5])
    say_stop(sweep_dir, "failures")
    assert cancelled_jobs(sweep_dir) == {3, 5}
    assert (is_stopped(sweep_dir, "failures"), is_stopped(sweep_dir, "cancelled")) == (True, False)
    go_on(sweep_dir)
    assert cancelled_jobs(sweep_dir) == frozenset()
    assert not is_stopped(sweep_dir, "failures")
