from __future__ import annotations

import pytest

from runyard.base import State
from runyard.orchestrate.jobs.running import state_of
from runyard.pipeline import checkpoint


class OutOfMemoryError(RuntimeError):
    """Named like torch's."""


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ValueError("x"), State.FAILED),
        (SystemExit(3), State.FAILED),
        (MemoryError(), State.OUT_OF_MEMORY),
        (OutOfMemoryError(), State.OUT_OF_MEMORY),
        (KeyboardInterrupt(), State.CANCELLED),
        (checkpoint.Requeue(), State.PREEMPTED),
        (type("Own", (checkpoint.Requeue,), {})(), State.PREEMPTED),
    ],
)
def test_an_exception_means_a_state(error: BaseException, state: State) -> None:
    assert state_of(error) is state
