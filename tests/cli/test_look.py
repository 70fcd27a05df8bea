from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from runyard.base import State, SweepState, iso, utc_now
from runyard.cli.look import eta_seconds
from runyard.record import SweepPaths, write_run

from .conftest import MakeSweep, Runyard, a_run

COMPLETED, FAILED, PENDING, RUNNING = State.COMPLETED, State.FAILED, State.PENDING, State.RUNNING
ID = "20260131T120000Z-abc1234"


def status_of(runyard: Runyard, *arguments: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(runyard("status", *arguments, "--json").stdout)
    return value


def test_the_status_has_the_promised_keys(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep()
    found = status_of(runyard)
    assert (found["sweep_id"], found["state"], found["counts"]) == (ID, "FAILED", {"COMPLETED": 2, "FAILED": 1})
    assert (found["jobs"], found["controller"], found["running"], found["eta_s"]) == (3, None, [], None)
    assert found["failed"] == [
        {"job": 1, "state": "FAILED", "reason": "ValueError: boom in job 1", "log": f"{sweep_dir}/1/output.log"}
    ]
    assert found["next"] == f"runyard resume {ID}"


def test_the_status_tells_counts_time_failures_and_the_way_on(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep()
    result = runyard("status")
    assert result.exit_code == 0
    text = result.stdout
    assert text.splitlines()[0] == f"{ID}  mnist  FAILED"
    assert "2/3 completed, 1 failed" in text
    assert "took 3 min 20 s" in text
    assert "job 1  FAILED  ValueError: boom in job 1\n" in text
    assert f"multirun/mnist/{ID}/1/output.log" in text
    assert text.rstrip().endswith(f"runyard resume {ID}")


def test_a_sweep_that_is_done_has_no_next_step(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep(states=[COMPLETED])
    assert status_of(runyard)["next"] is None
    assert "next" not in runyard("status").stdout


def test_a_lost_sweep_says_so_and_how_to_go_on(runyard: Runyard, make_sweep: MakeSweep) -> None:
    gone = {"pid": 2**22 + 1, "host": socket.gethostname(), "since": "2026-01-31T12:00:00.000Z"}
    sweep_dir = make_sweep(states=[COMPLETED, PENDING], state=SweepState.RUNNING, controller=gone, finished_at=None)
    SweepPaths(sweep_dir).lock.touch()
    found = status_of(runyard)
    assert (found["state"], found["next"]) == ("LOST", f"runyard resume {ID}")
    assert "its controller is gone" in runyard("status").stdout


def test_what_cannot_be_started_again_can_be_collected(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep(entry=None)
    assert status_of(runyard)["next"] == f"runyard collect {ID}"


def test_in_another_root_the_way_on_names_the_path(runyard: Runyard, make_sweep: MakeSweep, project: Path) -> None:
    sweep_dir = make_sweep(directory=project / "my runs" / "e" / "s")
    assert status_of(runyard, "latest", "--root", "my runs")["next"] == "runyard resume 'my runs/e/s'"
    assert status_of(runyard, str(sweep_dir))["next"] == "runyard resume 'my runs/e/s'"


def test_running_jobs_are_shown_the_longest_first_with_a_guess_of_the_time(
    runyard: Runyard, make_sweep: MakeSweep
) -> None:
    at_work = {"pid": 1, "host": "another-machine", "since": iso(utc_now())}
    make_sweep(
        states=[COMPLETED, RUNNING, RUNNING, PENDING, PENDING],
        state=SweepState.RUNNING,
        controller=at_work,
        finished_at=None,
        created_at=iso(utc_now()),
    )
    found = status_of(runyard)
    assert [job["job"] for job in found["running"]] == [1, 2]
    assert all(job["seconds"] > 0 for job in found["running"])
    assert found["eta_s"] == 3.75
    assert found["controller"] == at_work
    text = runyard("status").stdout
    assert "1/5 completed, 2 running, 2 pending" in text
    assert "about 4.00 s left" in text
    assert "1 on another-machine" in text


def test_the_time_left_is_not_guessed_without_a_completed_or_a_running_job(project: Path) -> None:
    runs = {state: a_run(project, "s", 0, state) for state in State}
    assert eta_seconds([]) is None
    assert eta_seconds([runs[RUNNING], runs[PENDING]]) is None
    assert eta_seconds([runs[COMPLETED], runs[PENDING]]) is None
    assert eta_seconds([runs[COMPLETED], runs[RUNNING]]) == 1.25


def test_of_many_failures_ten_are_shown(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep(states=[FAILED] * 13)
    text = runyard("status").stdout
    assert "job 9 " in text
    assert "job 10 " not in text
    assert "... and 3 more" in text


def test_show_tells_the_facts_of_a_sweep(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep()
    SweepPaths(sweep_dir).snapshot.mkdir()
    (SweepPaths(sweep_dir).snapshot / "git.patch").write_text("diff")
    text = runyard("show").stdout
    for fact in (
        "a note",
        "first, second",
        "python train.py -m model.lr=0,1 'note='\"'\"'two words'\"'\"''",
        "runyard_local",
        "2026-01-31 12:00:00 UTC",
        "abc1234def (main), with changes: multirun/mnist/20260131T120000Z-abc1234/snapshot/git.patch",
        "node1",
        f"multirun/mnist/{ID}/plan.csv",
    ):
        assert fact in text
    assert "results.csv" not in text, "a file that is not there is not named"


def test_show_gives_the_whole_record_and_a_line_per_job_as_json(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep()
    found = json.loads(runyard("show", ID, "--json").stdout)
    assert found["schema"] == 1
    assert [job["state"] for job in found["jobs"]] == ["COMPLETED", "FAILED", "COMPLETED"]
    assert found["jobs"][2]["params"] == {"model.lr": 0.2, "seed": 1}
    assert found["jobs"][0]["metrics"] == {"acc": 0.5, "loss": "NaN"}


@pytest.mark.parametrize(
    "reference", [f"{ID}/1", "2026/1", "latest/1", "1", f"multirun/mnist/{ID}/1", "mnist/latest/1"]
)
def test_show_tells_everything_of_a_job(reference: str, runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep()
    text = runyard("show", reference).stdout
    assert text.splitlines()[0] == f"{ID}  job 1  FAILED"
    assert "model.lr = 0.1" in text
    assert "attempt 1  FAILED" in text
    assert "    Traceback (most recent call last):\n" in text
    assert "ValueError: boom in job 1" in text
    assert "cpus = 2" in text
    assert "gpus" not in text


def test_show_tells_metrics_and_stages_of_a_job_that_completed(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep()
    text = runyard("show", "latest/2").stdout
    assert "acc = 0.7" in text
    assert "train  COMPLETED  1.25 s  steps = 10" in text
    found = json.loads(runyard("show", "latest/2", "--json").stdout)
    assert (found["schema"], found["job"], found["metrics"]) == (1, 2, {"acc": 0.7, "loss": "NaN"})


def test_a_job_that_has_not_run_can_be_shown(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep(states=[COMPLETED, PENDING])
    text = runyard("show", "1").stdout
    assert "job 1  PENDING" in text
    assert "model.lr = 0.1" in text


def test_a_job_that_the_sweep_does_not_have_is_a_usage_error(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep()
    result = runyard("show", "latest/3")
    assert result.exit_code == 2
    assert "no job 3 in this sweep" in result.stderr
    assert "its jobs are 0 to 2" in result.stderr


def test_control_characters_of_others_do_not_reach_the_terminal(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep(note="a\x1b[2Jb", experiment="mnist")
    write_run(a_run(sweep_dir, ID, 0, COMPLETED, overrides=("x=\x1b[31m",), metrics={"a\x07": 1}))
    for arguments in (["ls"], ["show"], ["show", "0"], ["status"]):
        assert "\x1b" not in runyard(*arguments).stdout
        assert "\x07" not in runyard(*arguments).stdout
