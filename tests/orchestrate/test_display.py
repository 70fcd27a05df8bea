from __future__ import annotations

import contextlib
import io
import math
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from runyard.base import State, UsageError
from runyard.orchestrate.showing.display import LiveDisplay, PlainDisplay, SilentDisplay, make_display
from runyard.orchestrate.showing.view import (
    Best,
    BestSoFar,
    Progress,
    RunningJob,
    clock,
    eta_seconds,
    render_lines,
    rough,
)
from runyard.record import Attempt, ErrorInfo, RunRecord, reason_of


def run(job: int = 0, state: State = State.COMPLETED, *, error: ErrorInfo | None = None, **facts: Any) -> RunRecord:
    attempt = Attempt(
        n=1,
        state=state,
        started_at="2026-01-31T12:00:00.000Z",
        host="node1",
        pid=7,
        exit_code=facts.pop("exit_code", None),
        signal=facts.pop("signal", None),
        error=error,
    )
    values: dict[str, Any] = {
        "sweep_id": "s",
        "job": job,
        "run_key": "k",
        "state": state,
        "overrides": (f"lr={job}", "seed=1"),
        "params": {},
        "run_dir": f"/runs/{job}",
        "metrics": {"acc": job / 10} if state is State.COMPLETED else {},
        "attempts": (attempt,),
        "seconds": 1.25,
    }
    return RunRecord(**{**values, **facts})


def progress(**facts: Any) -> Progress:
    running = [RunningJob(job=n, label=f"lr=0.{n} seed={n}", seconds=100.0 - n) for n in range(10, 14)]
    values: dict[str, Any] = {
        "sweep_id": "20260131T120000Z-abc1234",
        "total": 48,
        "counts": {"COMPLETED": 10, "FAILED": 2, "RUNNING": 4, "PENDING": 32},
        "running": running,
        "best": (Best(label="highest", metric="acc", value=0.98765, job=3),),
        "eta_s": 200.0,
        "elapsed_s": 75.0,
    }
    return Progress(**{**values, **facts})


def lines_of(shown: Progress, width: int = 80, height: int = 24) -> list[str]:
    return [line.plain for line in render_lines(shown, width=width, height=height)]


class Terminal(io.StringIO):
    """A screen of unlimited height that understands what the live display sends."""

    encoding = "utf-8"

    def __init__(self) -> None:
        super().__init__()
        self.rows = [""]
        self.at = 0
        self.frames = 0

    def isatty(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        self.frames += bool(text)
        for part in re.findall(r"\x1b\[\d*[A-Za-z]|\x1b\[[\d;]*m|\n|\r|[^\x1b\r\n]+", text):
            self._take(part)
        return len(text)

    def _take(self, part: str) -> None:
        if part == "\n":
            self.at += 1
            self.rows += [""] * (self.at + 1 - len(self.rows))
        elif part.endswith("A") and part.startswith("\x1b"):
            self.at -= int(part[2:-1])
        elif part == "\x1b[J":
            self.rows[self.at :] = [""]
        elif not part.startswith("\x1b") and part != "\r":
            self.rows[self.at] += part


class Hand:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"ended": 0, "ended_s": 0.0, "pending": 10, "running_s": [1.0], "slots": 4}, None),
        ({"ended": 2, "ended_s": 20.0, "pending": 8, "running_s": [], "slots": 4}, 20.0),
        ({"ended": 1, "ended_s": 10.0, "pending": 1, "running_s": [4.0, 4.0], "slots": 2}, 11.0),
        ({"ended": 1, "ended_s": 10.0, "pending": 1, "running_s": [], "slots": 64}, 10.0),
        ({"ended": 1, "ended_s": 10.0, "pending": 0, "running_s": [2.0, 9.0], "slots": 8}, 8.0),
        ({"ended": 1, "ended_s": 10.0, "pending": 0, "running_s": [30.0], "slots": 1}, 0.0),
        ({"ended": 5, "ended_s": 5.0, "pending": 0, "running_s": [], "slots": 0}, 0.0),
    ],
)
def test_the_time_left_is_the_work_over_the_slots_but_no_less_than_one_job(
    facts: dict[str, Any], expected: float | None
) -> None:
    assert eta_seconds(**facts) == expected


def test_the_region_tells_states_times_best_and_running_jobs() -> None:
    assert lines_of(progress()) == [
        "12/48 jobs ━━━━━━────────────────── 25 %  20260131T120000Z-abc1234",
        "10 completed  2 failed  4 running  32 pending",
        "1:15 elapsed, about 4 min left",
        "acc: highest 0.9877 (job 3)",
        "  job 10     1:30  lr=0.10 seed=10",
        "  job 11     1:29  lr=0.11 seed=11",
        "  job 12     1:28  lr=0.12 seed=12",
        "  job 13     1:27  lr=0.13 seed=13",
    ]


def test_many_running_jobs_are_cut_and_counted_the_longest_first() -> None:
    running = [RunningJob(job=n, label="x", seconds=float(n)) for n in range(200)]
    lines = lines_of(progress(running=running))
    assert lines[4].split()[:2] == ["job", "199"]
    assert lines[-1] == "  +191 more"
    assert len(lines) == 14


@pytest.mark.parametrize("height", [1, 2, 3, 5, 6, 8, 24])
@pytest.mark.parametrize("width", [1, 2, 10, 40, 200])
def test_the_region_fits_any_terminal(width: int, height: int) -> None:
    lines = render_lines(progress(), width=width, height=height)
    assert len(lines) <= max(height - 1, 1)
    assert all(line.cell_len <= max(width - 1, 1) for line in lines)


def test_labels_cannot_disturb_the_terminal() -> None:
    lines = lines_of(progress(running=[RunningJob(job=1, label="a\x1b[2Jb\nc\td", seconds=1.0)]))
    assert lines[-1].endswith("a [2Jb c d")


def test_wide_characters_count_twice() -> None:
    shown = progress(running=[RunningJob(job=1, label="日本語" * 30, seconds=1.0)])
    assert all(line.cell_len <= 39 for line in render_lines(shown, width=40, height=24))


def test_a_sweep_without_jobs_and_one_that_has_ended_can_be_shown() -> None:
    assert lines_of(progress(total=0, counts={}, running=(), best=(), eta_s=None))[0].startswith("0/0 jobs")
    ended = progress(counts={"COMPLETED": 48}, running=(), eta_s=0.0)
    assert "left" not in " ".join(lines_of(ended))


def test_both_ends_of_the_first_metric_are_kept_when_no_direction_is_known() -> None:
    best = BestSoFar()
    assert best.best == ()
    best.see(run(9, State.FAILED, metrics={"other": 1.0}))
    best.see(run(1, metrics={"acc": 0.5, "loss": 9.0}))
    assert best.best == (Best(label="", metric="acc", value=0.5, job=1),)
    best.see(run(2, metrics={"loss": 1.0, "acc": 0.7}))
    best.see(run(3, metrics={"acc": math.nan}))
    best.see(run(4, metrics={"acc": 0.2}))
    best.see(run(5, metrics={"acc": 0.7}))
    assert best.best == (
        Best(label="highest", metric="acc", value=0.7, job=2),
        Best(label="lowest", metric="acc", value=0.2, job=4),
    )


@pytest.mark.parametrize(("direction", "job"), [("max", 2), ("min", 1)])
def test_with_a_direction_there_is_one_best(direction: str, job: int) -> None:
    best = BestSoFar("acc", direction)
    best.see(run(1))
    best.see(run(2))
    assert [(end.label, end.job) for end in best.best] == [("best", job)]


def test_the_live_region_is_drawn_in_place_and_leaves_no_trace() -> None:
    terminal, hand = Terminal(), Hand()
    display = LiveDisplay(terminal, clock=hand)
    display.start()
    for done in range(5):
        hand.now += 1
        display.update(progress(counts={"COMPLETED": done, "PENDING": 48 - done}, running=()))
    assert terminal.rows[0].startswith("4/48 jobs")
    assert len(terminal.rows) == 4
    display.message("the registry is busy")
    assert terminal.rows[0] == "the registry is busy"
    assert terminal.rows[1].startswith("4/48 jobs")
    display.close()
    assert terminal.rows == ["the registry is busy", ""]


def test_the_live_region_is_drawn_at_most_eight_times_a_second() -> None:
    terminal, hand = Terminal(), Hand()
    display = LiveDisplay(terminal, clock=hand)
    for _ in range(1000):
        hand.now += 0.002
        display.update(progress())
    assert terminal.frames <= 17


def test_the_live_display_keeps_failures_and_counts_the_rest_of_many() -> None:
    terminal = Terminal()
    display = LiveDisplay(terminal, clock=Hand())
    display.job_ended(run(1))
    for job in range(50):
        display.job_ended(run(job, State.FAILED, error=ErrorInfo(type="ValueError", message="boom\nmore")))
    display.close()
    assert terminal.rows[0] == "job 0 FAILED (lr=0 seed=1): ValueError: boom; log: /runs/0/output.log"
    assert len(terminal.rows) == 22
    assert "further failures" in terminal.rows[20]


def test_after_the_terminal_became_narrower_wrapped_lines_are_taken_away_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from runyard.orchestrate.showing import display as module

    assert module._erase([79, 40, 0], 80) == "\r\x1b[2A\x1b[J"
    assert module._erase([79, 40, 0], 40) == "\r\x1b[3A\x1b[J"
    assert module._erase([], 40) == ""
    assert module._erase([3], 40) == "\r\x1b[J"


def closed() -> io.TextIOBase:
    stream = io.StringIO()
    stream.close()
    return stream


class FullDisk(io.StringIO):
    def flush(self) -> None:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("stream", [closed, FullDisk])
@pytest.mark.parametrize("kind", ["live", "plain"])
def test_a_broken_stream_ends_the_display_and_not_the_sweep(kind: str, stream: Callable[[], Any]) -> None:
    display = make_display(stream(), 3, kind=kind)
    display.start()
    display.update(progress())
    display.job_ended(run(1, State.FAILED))
    display.message("x")
    display.close()


def test_a_terminal_that_is_closed_ends_the_display_and_not_the_sweep() -> None:
    master, slave = pty.openpty()
    stream = os.fdopen(slave, "w", encoding="utf-8")
    display = make_display(stream, 3, kind="live")
    display.update(progress())
    assert b"12/48 jobs" in os.read(master, 10_000)
    os.close(master)
    display.message("x")
    display.close()
    with contextlib.suppress(OSError):
        stream.close()


def test_a_stream_that_knows_ascii_only_gets_ascii() -> None:
    raw = io.BytesIO()
    display = LiveDisplay(io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    display.update(progress(running=[RunningJob(job=1, label="é" * 100, seconds=1.0)]))
    assert b"######" in raw.getvalue()
    assert b"?" in raw.getvalue()


def plain(total: int, hand: Hand, *, done: int = 0) -> tuple[PlainDisplay, Callable[[], list[str]]]:
    stream = io.StringIO()
    display = PlainDisplay(stream, total=total, done=done, clock=hand)
    display.start()
    return display, lambda: stream.getvalue().splitlines()


def test_a_small_sweep_has_a_plain_line_for_each_end() -> None:
    display, lines = plain(3, Hand())
    display.job_ended(run(0))
    display.job_ended(run(2, metrics={}))
    display.job_ended(run(1, State.OUT_OF_MEMORY, signal="SIGKILL"))
    assert lines() == [
        "[1/3] job 0 COMPLETED in 1.2 s (lr=0 seed=1)  acc=0",
        "[2/3] job 2 COMPLETED in 1.2 s (lr=2 seed=1)",
        "[3/3] job 1 OUT_OF_MEMORY (lr=1 seed=1): killed by SIGKILL; log: /runs/1/output.log",
    ]


def test_a_large_sweep_has_a_plain_line_a_second_and_one_for_each_failure() -> None:
    hand = Hand()
    display, lines = plain(10_000, hand, done=100)
    for job in range(1000):
        hand.now += 0.01
        display.job_ended(run(job, State.FAILED if job in (500, 501) else State.COMPLETED, exit_code=3))
    assert sum("FAILED" in line for line in lines()) == 2
    assert 10 <= len(lines()) <= 13
    assert lines()[0].startswith("[101/10000]")


def test_an_attempt_that_is_tried_again_counts_once() -> None:
    display, lines = plain(2, Hand())
    display.job_ended(run(0, State.LOST))
    display.job_ended(run(0))
    assert [line.split()[0] for line in lines()] == ["[1/2]", "[1/2]"]


def test_a_quiet_sweep_says_once_a_minute_that_it_lives() -> None:
    hand = Hand()
    display, lines = plain(48, hand)
    for _ in range(1250):
        hand.now += 0.1
        display.update(progress())
    assert (
        lines()
        == [
            "[12/48] 10 completed, 2 failed, 4 running, 32 pending; "
            "1:15 elapsed, about 4 min left; acc: highest 0.9877 (job 3)"
        ]
        * 2
    )


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (run(0, State.FAILED, error=ErrorInfo(type="KeyError", message="")), "KeyError"),
        (run(0, State.FAILED, error=ErrorInfo(type="E", message="\n a \x1b[1m\n b")), "E: a  [1m"),
        (run(0, State.FAILED, signal="SIGSEGV", exit_code=-11), "killed by SIGSEGV"),
        (run(0, State.FAILED, exit_code=4), "exit code 4"),
        (run(0, State.LOST), "its process is gone"),
        (run(0, State.TIMEOUT), "no cause is recorded"),
        (run(0, State.CANCELLED, attempts=()), "it never began"),
    ],
)
def test_the_reason_of_a_failure_is_one_line(given: RunRecord, reason: str) -> None:
    assert reason_of(given) == reason


def test_times_are_short() -> None:
    assert [clock(s) for s in (0, 7.9, 754, 3723)] == ["0:00", "0:07", "12:34", "1:02:03"]
    assert [rough(s) for s in (0, 40.2, 200, 7800)] == ["about 1 s", "about 41 s", "about 4 min", "about 2 h 10 min"]


def test_the_display_follows_the_stream_unless_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(make_display(io.StringIO(), 3), PlainDisplay)
    assert isinstance(make_display(Terminal(), 3), LiveDisplay)
    assert isinstance(make_display(Terminal(), 3, kind="plain"), PlainDisplay)
    assert isinstance(make_display(Terminal(), 3, kind="none"), SilentDisplay)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(make_display(Terminal(), 3), PlainDisplay)
    with pytest.raises(UsageError, match="did you mean 'plain'"):
        make_display(Terminal(), 3, kind="plane")


def test_no_thread_is_started() -> None:
    before = threading.active_count()
    display = make_display(Terminal(), 3, kind="live")
    display.start()
    display.update(progress())
    assert threading.active_count() == before
    display.close()


def test_the_live_display_has_its_colours_only_where_they_are_wanted(tmp_path: Path) -> None:
    code = (
        "import sys; from runyard.orchestrate.showing.display import make_display;"
        "from runyard.orchestrate.showing.view import Progress;"
        "d = make_display(sys.stdout, 3, kind='live');"
        "d.update(Progress(sweep_id='s', total=2, counts={'COMPLETED': 1}))"
    )

    def output(settings: Iterable[tuple[str, str]]) -> str:
        environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | dict(settings) | {"TERM": "xterm"}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
        return done.stdout

    assert "\x1b[32m" in output([])
    assert "\x1b[32m" not in output([("NO_COLOR", "1")])
