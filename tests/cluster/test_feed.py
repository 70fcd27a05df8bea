"""Which jobs a worker takes, from the files that workers leave; no Slurm is needed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runyard.base import State
from runyard.cluster.feed import ClaimFeed, Rules
from runyard.cluster.signs import say_stop, wish_to_cancel
from runyard.cluster.work import Group, Work
from runyard.orchestrate import PlannedJob, brief
from runyard.record import Attempt, Claims, Holder, Journal, RunRecord, SweepPaths, read_run, replay, write_run

JOBS = 6


class Sweep:
    """A sweep's directory with some jobs, and workers that take them."""

    def __init__(self, folder: Path) -> None:
        self.dir = folder
        self.paths = SweepPaths(folder)
        for made in (self.paths.claims, self.paths.parts, self.paths.slurm):
            made.mkdir()
        self.jobs = {
            n: PlannedJob(job=n, overrides=(f"x={n}",), run_key=f"k{n}", run_dir=folder / str(n), params={"x": n})
            for n in range(JOBS)
        }
        self.work = Work(number=0, first=0, count=JOBS, values={}, groups=(Group(resources={}, workers=1),))
        self.dead: set[str] = set()
        self.journals: list[Journal] = []

    def worker(self, name: str = "9_0", *, lane: int = 0, lanes: int = 1, restarts: int = 0, **rules: Any) -> ClaimFeed:
        journal = Journal(self.paths.parts / f"{name}.jsonl")
        self.journals.append(journal)
        return ClaimFeed(
            self.dir,
            self.work,
            self.jobs,
            lane=lane,
            lanes=lanes,
            me=Holder(worker=name, restarts=restarts),
            journal=journal,
            rules=Rules(
                is_dead=lambda holder: holder.worker in self.dead,
                cause=lambda holder: (State.LOST, f"{holder.worker} died"),
                **{"max_requeues": 2, **rules},
            ),
        )

    def record(self, job: int, *states: State) -> RunRecord:
        attempts = tuple(
            Attempt(n=n, state=state, started_at="2026-01-01T00:00:00.000Z", host="h", pid=1)
            for n, state in enumerate(states, start=1)
        )
        return RunRecord(
            sweep_id="s",
            job=job,
            run_key=f"k{job}",
            state=states[-1],
            overrides=(),
            params={},
            run_dir=str(self.dir / str(job)),
            attempts=attempts,
        )

    def write(self, job: int, *states: State) -> None:
        """As the job's own process does."""
        (self.dir / str(job)).mkdir(exist_ok=True)
        write_run(self.record(job, *states))

    def end(self, job: int, *states: State, worker: str = "9_0") -> None:
        """As a worker does when a job has ended."""
        self.write(job, *states)
        with Journal(self.paths.parts / f"{worker}.jsonl") as journal:
            journal.append("ended", job=job, run=brief(self.record(job, *states)))


@pytest.fixture
def sweep(tmp_path: Path) -> Iterator[Sweep]:
    sweep = Sweep(tmp_path)
    yield sweep
    for journal in sweep.journals:
        journal.close()


def taken(feed: ClaimFeed, then: Callable[[int], None] | None = None) -> list[int]:
    """The jobs that a worker takes until there is none for it; ``then`` is what becomes of each."""
    found = []
    while (following := feed.peek()) is not None:
        found.append(following[0].job)
        feed.pop()
        if then is not None:
            then(following[0].job)
    return found


def test_a_worker_alone_takes_every_job_in_order(sweep: Sweep) -> None:
    assert taken(sweep.worker()) == [0, 1, 2, 3, 4, 5]


def test_workers_begin_with_jobs_of_their_own_and_go_on_with_those_of_others(sweep: Sweep) -> None:
    first, second = sweep.worker("9_0", lane=0, lanes=2), sweep.worker("9_1", lane=1, lanes=2)
    assert second.peek()[0].job == 1  # type: ignore[index]
    second.pop()
    assert taken(first) == [0, 2, 4, 5, 3]
    assert taken(second) == []


def test_a_job_that_waits_for_room_is_claimed_once_and_given_back(sweep: Sweep) -> None:
    feed = sweep.worker()
    assert feed.peek() == feed.peek()
    feed.give_back()
    assert 0 in taken(sweep.worker("9_1"))


def test_a_job_is_likely_before_it_is_claimed(sweep: Sweep) -> None:
    feed = sweep.worker()
    assert feed.glance() is None
    feed.peek()
    feed.pop()
    following = feed.glance()
    assert following is not None
    assert following[0].job == 1
    assert Claims(sweep.paths.claims).turns() == {0: 1}


def test_completed_and_failed_jobs_are_not_taken_again(sweep: Sweep) -> None:
    sweep.end(0, State.COMPLETED)
    sweep.end(1, State.FAILED)
    sweep.end(2, State.TIMEOUT)
    assert taken(sweep.worker()) == [3, 4, 5]


def test_what_was_given_back_is_taken_again_with_its_attempts(sweep: Sweep) -> None:
    assert Claims(sweep.paths.claims).take(0, 1, Holder(worker="9_1"))
    sweep.end(0, State.PREEMPTED, worker="9_1")
    following = sweep.worker().peek()
    assert following is not None
    assert (following[0].job, [a.state for a in following[1]]) == (0, [State.PREEMPTED])


def test_a_job_goes_back_so_often_and_no_more(sweep: Sweep) -> None:
    sweep.end(0, State.PREEMPTED, State.LOST)
    sweep.end(1, State.PREEMPTED, State.LOST, State.LOST)
    assert taken(sweep.worker()) == [0, 2, 3, 4, 5]


def test_a_job_of_a_worker_that_lives_is_left_to_it(sweep: Sweep) -> None:
    Claims(sweep.paths.claims).take(0, 1, Holder(worker="9_1"))
    sweep.write(0, State.RUNNING)
    assert taken(sweep.worker()) == [1, 2, 3, 4, 5]


def test_a_job_whose_worker_died_is_recorded_as_lost_and_taken(sweep: Sweep) -> None:
    Claims(sweep.paths.claims).take(0, 1, Holder(worker="9_1"))
    sweep.write(0, State.RUNNING)
    sweep.dead.add("9_1")
    following = sweep.worker().peek()
    assert following is not None
    assert (following[0].job, [a.state for a in following[1]]) == (0, [State.LOST])
    assert read_run(sweep.dir / "0").attempts[0].error.message == "9_1 died"  # type: ignore[union-attr]
    assert replay(sweep.paths.journal).runs[0]["state"] == "LOST"


def test_a_result_that_its_worker_did_not_live_to_tell_is_kept(sweep: Sweep) -> None:
    Claims(sweep.paths.claims).take(0, 1, Holder(worker="9_1"))
    sweep.write(0, State.COMPLETED)
    sweep.dead.add("9_1")
    assert taken(sweep.worker()) == [1, 2, 3, 4, 5]
    assert replay(sweep.paths.journal).runs[0]["state"] == "COMPLETED"


def test_a_job_that_was_claimed_and_never_begun_begins_with_its_first_attempt(sweep: Sweep) -> None:
    Claims(sweep.paths.claims).take(0, 1, Holder(worker="9_1"))
    sweep.dead.add("9_1")
    following = sweep.worker().peek()
    assert following is not None
    assert (following[0].job, following[1]) == (0, ())


def test_a_worker_that_was_started_again_takes_up_what_its_former_life_left(sweep: Sweep) -> None:
    sweep.worker("9_1", restarts=0).peek()
    sweep.write(0, State.RUNNING)
    following = sweep.worker("9_1", restarts=1).peek()
    assert following is not None
    assert (following[0].job, [a.state for a in following[1]]) == (0, [State.LOST])


def test_of_two_that_find_a_dead_workers_job_one_takes_it(sweep: Sweep) -> None:
    Claims(sweep.paths.claims).take(0, 1, Holder(worker="9_9"))
    sweep.write(0, State.RUNNING)
    sweep.dead.add("9_9")
    first, second = sweep.worker("9_0"), sweep.worker("9_1")
    assert first.peek()[0].job == 0  # type: ignore[index]
    assert second.peek()[0].job == 1  # type: ignore[index]


def test_failed_jobs_are_taken_again_when_they_were_submitted_again(sweep: Sweep) -> None:
    sweep.end(0, State.FAILED)
    sweep.end(1, State.FAILED)
    sweep.end(2, State.COMPLETED)
    sweep.work = dataclasses.replace(sweep.work, number=1, take=frozenset({0, 3}), attempts={0: 1, 1: 1, 2: 1})
    sweep.jobs = {job: sweep.jobs[job] for job in sweep.work.jobs_of(0)}
    assert taken(sweep.worker(), lambda job: sweep.end(job, State.FAILED, State.FAILED) if job == 0 else None) == [0, 3]


def test_a_worker_takes_no_more_than_it_may(sweep: Sweep) -> None:
    assert taken(sweep.worker(most=2)) == [0, 1]
    assert taken(sweep.worker("9_1")) == [2, 3, 4, 5]


def test_cancelled_jobs_are_passed_over(sweep: Sweep) -> None:
    wish_to_cancel(sweep.dir, [0, 4])
    assert taken(sweep.worker()) == [1, 2, 3, 5]


@pytest.mark.parametrize("why", ["cancelled", "failures"])
def test_no_job_is_taken_once_the_sweep_is_stopped(sweep: Sweep, why: str) -> None:
    feed = sweep.worker()
    feed.peek()
    feed.pop()
    say_stop(sweep.dir, why)
    assert taken(feed) == []
