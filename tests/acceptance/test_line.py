"""Jobs that start in the room of those that have ended well: each once, never too many, none against an order."""

import json
import os
import signal
from collections import Counter

import pytest
from tests.conftest import processes_of, read_json, wait_for

JOBS = 60


def said(shell):
    """Of each begin and end: the job, which of the two, and when."""
    lines = (shell.cwd / "said").read_text().splitlines()
    return [(int(i), kind, float(when)) for i, kind, when in (line.split() for line in lines)]


def most_at_once(shell):
    changes = sorted((when, 1 if kind == "begin" else -1) for _, kind, when in said(shell))
    running = most = 0
    for _, change in changes:
        running += change
        most = max(most, running)
    return most


def events(sweep, kind):
    found = [json.loads(line) for line in (sweep / "journal.jsonl").read_text().splitlines()]
    return [event for event in found if event["event"] == kind]


@pytest.mark.parametrize("isolation", ["fork", "spawn"])
def test_among_failures_and_retries_every_job_runs_as_often_as_it_should(shell, isolation):
    jobs = JOBS if isolation == "fork" else 12
    words = ("hydra.launcher.n_jobs=3", "hydra.launcher.max_retries=1", f"hydra.launcher.isolation={isolation}")
    shell.app("room_app", "-m", "+runyard=local", f"i=range({jobs})", *words, check=1)
    sweep = shell.only_sweep("room_app")
    wanted = {i: 2 if i % 5 == 3 or i % 7 == 6 else 1 for i in range(jobs)}
    assert Counter(i for i, kind, _ in said(shell) if kind == "begin") == wanted
    assert most_at_once(shell) <= 3
    for i in range(jobs):
        run = read_json(sweep / str(i) / "run.json")
        assert (len(run["attempts"]), run["state"]) == (wanted[i], "FAILED" if i % 7 == 6 else "COMPLETED")
    assert Counter(event["job"] for event in events(sweep, "started")) == wanted
    assert Counter(event["run"]["job"] for event in events(sweep, "ended")) == wanted


def test_after_a_failure_that_stops_the_sweep_nothing_starts(shell):
    words = ("hydra.launcher.n_jobs=2", "hydra.launcher.fail_fast=true")
    shell.app("room_app", "-m", "+runyard=local", "i=range(40)", *words, check=1)
    assert max(i for i, _, _ in said(shell)) <= 4  # job 3 fails; 4 may have been under way


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_stood_in_line_when_the_sweep_was_stopped_is_pending_and_runs_later(shell, number):
    process = shell.start_app(
        "room_app", "-m", "+runyard=local", "i=range(40)", "sleep_s=0.05", "hydra.launcher.n_jobs=2"
    )
    wait_for(lambda: (shell.cwd / "said").exists() and len(said(shell)) > 20)
    process.send_signal(number)
    assert process.wait(60) == 130
    sweep = shell.only_sweep("room_app")
    states = Counter(run["state"] for run in (read_json(path) for path in sweep.glob("*/run.json")))
    begun = {i for i, kind, _ in said(shell) if kind == "begin"}
    assert states["CANCELLED"] <= 2  # one of them may have been ended before its task
    assert sum(states.values()) - len(begun) in (0, 1, 2)
    assert "RUNNING" not in states
    assert most_at_once(shell) <= 2
    shell.runyard("resume", sweep.name, check=1)
    assert {i for i, kind, _ in said(shell) if kind == "begin"} == set(range(40))
    completed = {i for i in range(40) if read_json(sweep / str(i) / "run.json")["state"] == "COMPLETED"}
    assert all(i in completed for i in begun if i % 5 != 3 and i % 7 != 6)


def test_a_template_that_is_killed_takes_its_jobs_and_not_the_line(shell):
    process = shell.start_app(
        "room_app", "-m", "+runyard=local", "i=range(30)", "sleep_s=0.1", "hydra.launcher.n_jobs=2",
        "hydra.launcher.max_retries=2",
    )  # fmt: skip
    wait_for(lambda: (shell.cwd / "said").exists() and len(said(shell)) > 6)
    template = next(
        int(pid)
        for pid in open(f"/proc/{process.pid}/task/{process.pid}/children").read().split()  # noqa: SIM115
        if open(f"/proc/{pid}/task/{pid}/children").read()  # noqa: SIM115
    )
    os.kill(template, signal.SIGKILL)
    assert process.wait(120) == 1
    sweep = shell.only_sweep("room_app")
    for i in range(30):
        state = read_json(sweep / str(i) / "run.json")["state"]
        assert state == ("FAILED" if i % 7 == 6 else "COMPLETED"), i
    wait_for(lambda: not processes_of(sweep))


def test_each_job_has_its_whole_time_limit_though_it_stood_in_line(shell):
    words = ("hydra.launcher.n_jobs=1", "hydra.launcher.timeout_min=0.05")  # three seconds
    shell.app("room_app", "-m", "+runyard=local", "i=0,1,2", "sleep_s=2", *words, check=0)
