from __future__ import annotations

import pytest

from runyard.base import MOVES, STATES, TERMINAL, RunyardError, State, SweepState, move

_ENDS = {"COMPLETED", "FAILED", "TIMEOUT", "OUT_OF_MEMORY", "PREEMPTED", "CANCELLED", "LOST"}
_ALLOWED = (
    {("PENDING", after) for after in ("RUNNING", "CANCELLED", "FAILED", "COMPLETED")}
    | {("RUNNING", end) for end in _ENDS}
    | {(end, after) for end in _ENDS - {"COMPLETED"} for after in ("RUNNING", "PENDING")}
)


@pytest.mark.parametrize("current", list(State))
@pytest.mark.parametrize("following", list(State))
def test_only_the_moves_in_the_table_are_made(current: State, following: State) -> None:
    if (current.value, following.value) in _ALLOWED:
        assert move(current, following) is following
    else:
        with pytest.raises(RunyardError, match=f"from {current} to {following}"):
            move(current, following)


def test_completed_is_final_and_nothing_else_is() -> None:
    assert [s for s in State if not MOVES[s]] == [State.COMPLETED]


def test_a_state_is_written_as_its_name() -> None:
    assert [str(s) for s in STATES] == [s.name for s in STATES] == [s.value for s in STATES]
    assert f"{SweepState.LOST}" == "LOST"
    assert {s.value for s in TERMINAL} == _ENDS
