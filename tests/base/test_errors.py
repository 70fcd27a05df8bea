from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from runyard.base import (
    InterruptedSweep,
    JobFailed,
    RecordError,
    RunyardError,
    SweepBusy,
    UsageError,
    unknown_name,
)

ERRORS = [
    RunyardError("x"),
    UsageError("what", where="where", todo="todo"),
    UsageError("what"),
    SweepBusy("what", where="where", todo="todo"),
    RecordError(Path("/a/run.json"), "not JSON"),
    JobFailed(3, "TIMEOUT", "too long", Path("/a/3")),
    InterruptedSweep("stopped"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_an_error_survives_pickling_with_its_data(error: RunyardError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (SweepBusy("x"), 2),
        (RecordError(Path("x"), "y"), 1),
        (JobFailed(0, "FAILED", "x", Path("y")), 1),
        (InterruptedSweep("x"), 130),
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, Exception) else str(v),
)
def test_an_error_knows_the_exit_code_it_means(error: RunyardError, code: int) -> None:
    assert isinstance(error, RunyardError)
    assert error.exit_code == code


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (UsageError("what"), "what"),
        (UsageError("what", where="here"), "what\n  where: here"),
        (UsageError("what", todo="that"), "what\n  to do: that"),
        (UsageError("what", where="here", todo="that"), "what\n  where: here\n  to do: that"),
        (RecordError(Path("/a/b"), "torn"), "/a/b: torn"),
        (JobFailed(3, "TIMEOUT", "too long", Path("/a/3")), "job 3 TIMEOUT: too long (see /a/3/output.log)"),
    ],
    ids=range(6),
)
def test_a_message_says_what_where_and_what_to_do(error: RunyardError, message: str) -> None:
    assert str(error) == message


@pytest.mark.parametrize(
    ("name", "known", "todo"),
    [
        ("gredy", ["greedy", "batch"], "did you mean 'greedy'? Known: batch, greedy"),
        ("n_job", ["n_jobs", "timeout_min"], "did you mean 'n_jobs'? Known: n_jobs, timeout_min"),
        ("zzz", ["b", "a"], "Known: a, b"),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(name: str, known: list[str], todo: str) -> None:
    error = unknown_name("policy", name, known, where="here")
    assert (error.what, error.where, error.todo) == (f"unknown policy {name!r}", "here", todo)
