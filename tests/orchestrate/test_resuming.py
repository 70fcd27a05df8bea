from __future__ import annotations

from pathlib import Path

import pytest

from runyard.base import State
from runyard.orchestrate.jobs.running import brief
from runyard.orchestrate.resuming import _settle_journal
from runyard.record import Attempt, Journal, RunRecord, SweepPaths, replay


def _run(*states: State) -> RunRecord:
    attempts = [
        Attempt(n=n, state=state, started_at="2026-01-31T12:00:00.000Z", host="h", pid=1)
        for n, state in enumerate(states, start=1)
    ]
    return RunRecord(
        sweep_id="s",
        job=3,
        run_key="1-a",
        state=states[-1] if states else State.PENDING,
        overrides=(),
        params={},
        run_dir="3",
        attempts=tuple(attempts),
    )


FAILED, COMPLETED, RUNNING = State.FAILED, State.COMPLETED, State.RUNNING


@pytest.mark.parametrize(
    ("journalled", "on_disk", "settled"),
    [
        (None, _run(COMPLETED), "COMPLETED"),
        (_run(FAILED), _run(FAILED, COMPLETED), "COMPLETED"),
        (_run(FAILED), _run(FAILED, RUNNING), "FAILED"),
        (_run(COMPLETED), _run(COMPLETED), "COMPLETED"),
        (None, _run(), None),
    ],
)
def test_the_journal_learns_of_ends_that_a_dead_controller_did_not_enter(
    tmp_path: Path, journalled: RunRecord | None, on_disk: RunRecord, settled: str | None
) -> None:
    path = SweepPaths(tmp_path).journal
    with Journal(path) as journal:
        if journalled is not None:
            journal.append("ended", job=3, run=brief(journalled))
    _settle_journal(tmp_path, [on_disk], replay(path))
    lines = path.read_text().splitlines()
    _settle_journal(tmp_path, [on_disk], replay(path))
    assert path.read_text().splitlines() == lines  # once is enough
    run = replay(path).runs.get(3)
    assert (run["state"] if run else None) == settled
