"""What the controller makes of a job that was ended by a signal from outside."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runyard.base import State
from runyard.execute import Ended, Event, Resources, Slots, Started, Task
from runyard.execute.devices import Devices
from runyard.orchestrate import Hooks, JobFacts, JobPayload, PlannedJob, StopSignal
from runyard.orchestrate.jobs.controller import Controller
from runyard.orchestrate.jobs.returns import Returned
from runyard.orchestrate.opening.settings import LauncherSettings
from runyard.record import Journal, RunRecord


class Shared(StopSignal):
    """Both the controller and its jobs get the signal from outside, the controller later."""

    lag_s = 0.2

    @property
    def cause(self) -> State:
        return State.PREEMPTED


class DyingPool:
    """A pool whose one job dies of SIGTERM; after so many looks the controller gets the signal as well."""

    def __init__(self, stop: StopSignal, looks: int | None) -> None:
        self._stop, self._looks = stop, looks
        self._events: list[Event] = []

    def start(self) -> None: ...

    def line_up(self, task: Task) -> None: ...

    def start_now(self, ticket: int) -> None: ...

    def call_back(self) -> None: ...

    def launch(self, task: Task) -> None:
        self._events = [
            Started(ticket=task.ticket, pid=1),
            Ended(ticket=task.ticket, exit_code=None, signal=signal.SIGTERM),
        ]

    def signal(self, ticket: int, number: int) -> None: ...

    def wait(self, timeout_s: float) -> list[Event]:
        events, self._events = self._events, []
        if self._looks is not None and not events:
            self._looks -= 1
            self._stop.count = int(self._looks < 0)
        return events

    def close(self) -> None: ...


class OneJob:
    """A feed of one job, and the orders for it."""

    is_alone = are_alike = True

    def __init__(self, folder: Path) -> None:
        self.provenance: dict[str, Any] = {}
        self._job: PlannedJob | None = PlannedJob(job=0, overrides=(), run_key="k", run_dir=folder / "0", params={})
        self._folder = folder

    def peek(self) -> Any:
        return None if self._job is None else (self._job, ())

    glance = peek

    def pop(self) -> None:
        self._job = None

    def work_ahead(self) -> bool:
        return False

    def prepare(self, job: PlannedJob, earlier: Any) -> None: ...

    def ready_made(self, job: PlannedJob) -> None: ...

    def resources(self, job: PlannedJob) -> Resources:
        return Resources()

    def facts(self, job: PlannedJob, earlier: Any, wanted: Any) -> JobFacts:
        return JobFacts(
            sweep_id="s",
            sweep_dir=self._folder,
            job=job.job,
            run_key=job.run_key,
            run_dir=job.run_dir,
            overrides=(),
            params={},
            earlier=earlier,
        )

    def payload(self, job: PlannedJob, earlier: Any, wanted: Any) -> JobPayload:
        return JobPayload(facts=self.facts(job, earlier, wanted))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.jsonl") as journal:
        yield journal


def state_after(folder: Path, journal: Journal, stop: StopSignal, looks: int | None) -> State:
    """The state of a job that died of SIGTERM."""
    ended: list[RunRecord] = []
    one: Any = OneJob(folder)
    controller = Controller(
        pool=DyingPool(stop, looks),
        slots=Slots(n_jobs=1, cpus=None, devices=Devices((), folder)),
        settings=LauncherSettings(display="none"),
        journal=journal,
        orders=one,
        hooks=Hooks(ended=ended.append, turn=lambda running: None),
        stop=stop,
        returned=Returned(),
    )
    controller.run(one)
    (record,) = ended
    return record.state


def test_a_job_that_dies_of_the_signal_that_stops_its_controller_was_stopped(tmp_path: Path, journal: Journal) -> None:
    assert state_after(tmp_path, journal, Shared(), looks=1) is State.PREEMPTED


def test_a_job_that_somebody_kills_alone_has_failed(tmp_path: Path, journal: Journal) -> None:
    assert state_after(tmp_path, journal, Shared(), looks=None) is State.FAILED


def test_where_nobody_signals_both_it_has_failed_at_once(tmp_path: Path, journal: Journal) -> None:
    assert state_after(tmp_path, journal, StopSignal(), looks=None) is State.FAILED
