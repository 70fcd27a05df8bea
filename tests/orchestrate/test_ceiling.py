"""The ceiling on the number of jobs."""

import pytest

from runyard.base import UsageError
from runyard.orchestrate.planning.ceiling import MOST_JOBS, below_ceiling

POINTS = [("x=1",), ("x=2",), ("x=3",)]


def test_without_one_every_point_passes(monkeypatch):
    monkeypatch.delenv(MOST_JOBS, raising=False)
    assert list(below_ceiling(POINTS)) == POINTS


@pytest.mark.parametrize(
    ("most", "before", "passes"), [("3", 0, True), ("2", 0, False), ("4", 1, True), ("3", 1, False)]
)
def test_as_many_pass_as_the_environment_says(monkeypatch, most, before, passes):
    monkeypatch.setenv(MOST_JOBS, most)
    if passes:
        assert list(below_ceiling(POINTS, before)) == POINTS
    else:
        with pytest.raises(UsageError, match=f"more than {most} jobs"):
            list(below_ceiling(POINTS, before))


@pytest.mark.parametrize("text", ["", "many", "-1", "1.5"])
def test_a_ceiling_that_is_no_number_is_an_error(monkeypatch, text):
    monkeypatch.setenv(MOST_JOBS, text)
    with pytest.raises(UsageError, match="no number of jobs"):
        list(below_ceiling(POINTS))


def test_a_sweep_that_is_too_large_leaves_nothing_behind(shell):
    done = shell.app("short_app", "-m", "+runyard=local", "i=1,2,3", check=2, RUNYARD_MOST_JOBS="2")
    assert "more than 2 jobs" in done.stderr
    assert shell.sweeps("short_app") == []
