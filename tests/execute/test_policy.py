from __future__ import annotations

import pytest

from runyard.base import State, UsageError
from runyard.execute import RetryPolicy, StopRule, check_causes


@pytest.mark.parametrize(
    ("max_retries", "retry_on", "state", "error", "attempts", "again"),
    [
        (0, ["FAILED"], "FAILED", None, 1, False),
        (1, ["FAILED"], "FAILED", None, 1, True),
        (1, ["FAILED"], "FAILED", "ValueError", 1, True),
        (1, ["FAILED"], "FAILED", None, 2, False),
        (3, ["FAILED"], "FAILED", None, 3, True),
        (3, ["FAILED"], "FAILED", None, 4, False),
        (1, ["FAILED"], "TIMEOUT", None, 1, False),
        (1, ["TIMEOUT"], "TIMEOUT", None, 1, True),
        (1, ["OUT_OF_MEMORY"], "OUT_OF_MEMORY", None, 1, True),
        (1, ["LOST"], "LOST", None, 1, True),
        (1, ["PREEMPTED"], "PREEMPTED", None, 1, True),
        (1, ["COMPLETED"], "COMPLETED", None, 1, False),
        (1, ["CANCELLED"], "CANCELLED", None, 1, False),
        (1, ["ValueError"], "FAILED", "ValueError", 1, True),
        (1, ["ValueError"], "FAILED", "KeyError", 1, False),
        (1, ["ValueError"], "FAILED", None, 1, False),
        (1, ["MyError"], "FAILED", "package.module.MyError", 1, True),
        (1, ["package.module.MyError"], "FAILED", "package.module.MyError", 1, True),
        (1, ["module.MyError"], "FAILED", "package.module.MyError", 1, False),
        (1, ["MemoryError"], "OUT_OF_MEMORY", "MemoryError", 1, True),
        (1, [], "FAILED", None, 1, False),
        (1, ["KeyboardInterrupt"], "CANCELLED", "KeyboardInterrupt", 1, False),
    ],
)
def test_an_attempt_is_followed_by_another(
    max_retries: int, retry_on: list[str], state: str, error: str | None, attempts: int, again: bool
) -> None:
    policy = RetryPolicy(max_retries=max_retries, retry_on=retry_on)
    assert policy.wants_retry(State(state), error, attempts) is again


def test_by_default_nothing_is_tried_again() -> None:
    assert not any(RetryPolicy().wants_retry(state, None, 1) for state in State)


@pytest.mark.parametrize("state", ["FAILED", "TIMEOUT", "PREEMPTED", "LOST"])
def test_by_default_every_cause_but_want_of_memory_is_worth_another_try(state: str) -> None:
    assert RetryPolicy(max_retries=1).wants_retry(State(state), None, 1)
    assert not RetryPolicy(max_retries=1).wants_retry(State.OUT_OF_MEMORY, None, 1)


@pytest.mark.parametrize("causes", [[], ["FAILED"], ["ValueError", "LOST"], ["OUT_OF_MEMORY", "my.Error"]])
def test_causes_that_make_sense_pass(causes: list[str]) -> None:
    check_causes(causes)


@pytest.mark.parametrize(
    ("cause", "hint"),
    [("FAILD", "FAILED"), ("COMPLETED", None), ("CANCELLED", None), ("TIME_OUT", "TIMEOUT"), ("OOM", None)],
)
def test_a_cause_that_is_no_state_is_refused_with_the_known_ones(cause: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        check_causes(["FAILED", cause])
    assert caught.value.where == "hydra.launcher.retry_on"
    assert "OUT_OF_MEMORY" in caught.value.todo
    assert hint is None or f"did you mean '{hint}'" in caught.value.todo


@pytest.mark.parametrize(
    ("max_failures", "failures", "stops"),
    [(None, 1000, False), (1, 0, False), (1, 1, True), (3, 2, False), (3, 3, True), (3, 4, True)],
)
def test_so_many_failures_stop_a_sweep(max_failures: int | None, failures: int, stops: bool) -> None:
    assert StopRule(max_failures=max_failures).is_reached(failures) is stops
