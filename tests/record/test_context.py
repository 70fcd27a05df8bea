from __future__ import annotations

import contextvars
import threading
from pathlib import Path

import pytest

import runyard
from runyard.base import UsageError
from runyard.record import ActiveRun, activate, current, current_or_none, set_active
from runyard.testing import active_run


def _run(folder: Path) -> ActiveRun:
    return ActiveRun(dir=folder, sweep_dir=None, job=None, attempt=1, shared_dir=folder / "shared")


def test_without_a_run_there_is_none_and_the_error_says_how_to_get_one() -> None:
    assert current_or_none() is None
    with pytest.raises(UsageError, match="no run is active") as caught:
        current()
    assert "+runyard=local" in caught.value.todo
    assert "active_run" in caught.value.todo


def test_runs_nest_and_the_outer_one_comes_back(tmp_path: Path) -> None:
    with active_run(tmp_path, job=3, attempt=2) as outer:
        assert runyard.current() is outer
        assert (outer.job, outer.attempt, outer.shared_dir) == (3, 2, tmp_path / "shared")
        with pytest.raises(KeyError), activate(_run(tmp_path / "inner")) as inner:
            assert current() is inner
            raise KeyError
        assert current() is outer
    assert current_or_none() is None


def test_hooks_set_the_run_and_take_it_back(tmp_path: Path) -> None:
    run = _run(tmp_path)

    def hooks() -> None:
        set_active(run)
        assert current() is run
        set_active(None)
        assert current_or_none() is None

    contextvars.copy_context().run(hooks)


def test_two_threads_can_be_at_work_on_two_runs(tmp_path: Path) -> None:
    both = threading.Barrier(2)
    seen = {}

    def work(name: str) -> None:
        with active_run(tmp_path / name):
            both.wait()
            seen[name] = current().dir
            both.wait()

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"a": tmp_path / "a", "b": tmp_path / "b"}
