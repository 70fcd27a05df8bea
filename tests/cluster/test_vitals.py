from __future__ import annotations

import pytest

from runyard.cluster.vitals import is_past
from runyard.execute import SlurmTask, TaskState


def task(state: TaskState, restarts: int) -> SlurmTask:
    return SlurmTask(id="9_0", state=state, restarts=restarts)


@pytest.mark.parametrize(
    ("state", "told", "life", "expected"),
    [
        (TaskState.RUNNING, 0, 0, False),
        (TaskState.FAILED, 0, 0, True),
        (TaskState.REQUEUED, 1, 0, True),
        (TaskState.RUNNING, 1, 0, True),
        # what was said before the life began is no news of it
        (TaskState.QUEUED, 0, 0, False),
        (TaskState.REQUEUED, 1, 1, False),
        (TaskState.FAILED, 0, 1, False),
        (TaskState.UNKNOWN, 0, 0, False),
    ],
)
def test_a_life_is_over_by_what_slurm_says_of_it_and_not_of_an_earlier_one(
    state: TaskState, told: int, life: int, expected: bool
) -> None:
    assert is_past(task(state, told), life) is expected


def test_what_slurm_has_forgotten_does_not_come_back() -> None:
    assert is_past(SlurmTask(id="9_0", state=TaskState.UNKNOWN, gone=True), 3)
