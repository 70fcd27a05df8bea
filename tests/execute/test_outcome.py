from __future__ import annotations

import signal
from typing import Any

import pytest

from runyard.base import State
from runyard.execute import Ended, Resources, judge, signal_name


@pytest.mark.parametrize(
    ("how", "asked", "state", "says"),
    [
        ({"exit_code": None, "signal": None}, None, "LOST", "was killed, and the job with it"),
        ({"exit_code": None, "signal": None}, "TIMEOUT", "LOST", "was killed"),
        ({"exit_code": 0, "signal": None}, None, "FAILED", "exit code 0 before the task returned"),
        ({"exit_code": 4, "signal": None}, None, "FAILED", "exit code 4"),
        ({"exit_code": 0, "signal": None}, "TIMEOUT", "TIMEOUT", "timeout_min"),
        ({"exit_code": None, "signal": signal.SIGTERM}, "TIMEOUT", "TIMEOUT", "timeout_min"),
        ({"exit_code": None, "signal": signal.SIGKILL}, "TIMEOUT", "TIMEOUT", "timeout_min"),
        ({"exit_code": None, "signal": signal.SIGKILL, "memory_kills": 1}, "TIMEOUT", "TIMEOUT", "timeout_min"),
        ({"exit_code": None, "signal": signal.SIGTERM}, "CANCELLED", "CANCELLED", "the sweep was"),
        ({"exit_code": None, "signal": signal.SIGSEGV}, None, "FAILED", "killed by SIGSEGV (a crash in native code"),
        ({"exit_code": None, "signal": signal.SIGABRT}, None, "FAILED", "killed by SIGABRT"),
        ({"exit_code": None, "signal": signal.SIGTERM}, None, "FAILED", "killed by SIGTERM"),
        ({"exit_code": None, "signal": signal.SIGKILL}, None, "FAILED", "killed by SIGKILL (not by this launcher"),
        ({"exit_code": None, "signal": signal.SIGKILL, "memory_kills": 1}, None, "OUT_OF_MEMORY", "want of memory"),
        ({"exit_code": None, "signal": signal.SIGSEGV, "memory_kills": 1}, None, "FAILED", "killed by SIGSEGV"),
        ({"exit_code": None, "signal": 63}, None, "FAILED", "killed by signal 63"),
    ],
)
def test_the_state_of_an_attempt_that_left_no_result(
    how: dict[str, Any], asked: str | None, state: str, says: str
) -> None:
    verdict = judge(Ended(ticket=1, **how), asked=State(asked) if asked else None)
    assert verdict.state is State(state)
    assert says in verdict.reason


@pytest.mark.parametrize(("number", "name"), [(None, None), (9, "SIGKILL"), (11, "SIGSEGV"), (63, "signal 63")])
def test_a_signals_name(number: int | None, name: str | None) -> None:
    assert signal_name(number) == name


def test_resources_as_they_stand_in_a_record() -> None:
    assert Resources().to_json() == {"cpus": 1, "gpus": 0, "mem_gb": None, "nodes": 1}
    assert Resources(cpus=2, gpus=1, mem_gb=0.5, nodes=3).to_json() == {"cpus": 2, "gpus": 1, "mem_gb": 0.5, "nodes": 3}
