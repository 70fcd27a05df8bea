from __future__ import annotations

import os
import pty
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import click
import pytest

from runyard.cli.words import age, cells_wide, count, counts_text, cut, duration, facts, moment_text, number, table

from .conftest import MakeSweep

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=timezone.utc)


def test_durations_have_two_units_at_the_most() -> None:
    given = [None, 0.004, 9.994, 12.34, 100, 250, 3723, 100_000]
    assert [duration(s) for s in given] == [
        "-", "0.00 s", "9.99 s", "12.3 s", "1 min 40 s", "4 min 10 s", "1 h 2 min", "1 d 3 h"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2026-01-31T11:59:55.000Z", "5 s"),
        ("2026-01-31T11:57:00.000Z", "3 min"),
        ("2026-01-31T10:00:00.000Z", "2 h"),
        ("2026-01-27T12:00:00.000Z", "4 d"),
        ("2026-02-01T12:00:00.000Z", "0 s"),
        ("not a time", "-"),
    ],
)
def test_ages_have_one_unit(moment: str, text: str) -> None:
    assert age(moment, NOW) == text


def test_moments_are_written_for_people() -> None:
    assert moment_text("2026-01-31T12:00:00.000Z") == "2026-01-31 12:00:00 UTC"
    assert [moment_text(None), moment_text("then")] == ["-", "then"]


def test_counts_begin_with_what_is_done_and_end_with_what_waits() -> None:
    assert counts_text({"PENDING": 2, "FAILED": 1, "COMPLETED": 3, "LOST": 0}) == "3/6 completed, 1 failed, 2 pending"
    assert counts_text({"CANCELLED": 1}) == "0/1 completed, 1 cancelled"
    assert [count(1, "sweep"), count(2, "sweep")] == ["1 sweep", "2 sweeps"]


def test_numbers_are_short_and_missing_is_a_dash() -> None:
    assert [number(v) for v in (None, 1, 0.123456789, float("nan"), "a\nb")] == ["-", "1", "0.123457", "nan", "a b"]


def test_columns_are_aligned_whatever_the_cells_hold() -> None:
    rows = [("日本", click.style("ok", fg="green"), "10"), ("x", "failed", "9")]
    text = click.unstyle(table(["A", "STATE", "N"], rows, width=None, right=frozenset({2})))
    assert text.splitlines() == ["A     STATE    N", "日本  ok      10", "x     failed   9"]


def test_the_last_column_gives_way_to_the_width() -> None:
    rows = [("id", "a long note about it")]
    lines = table(["ID", "NOTE"], rows, width=14, right=frozenset()).splitlines()
    assert lines == ["ID  NOTE", "id  a long ..."]
    assert table(["ID", "NOTE"], rows, width=None, right=frozenset()).endswith("about it")


def test_cutting_counts_wide_characters_twice() -> None:
    assert cut("日本語テスト", 8) == "日本..."
    assert cells_wide(cut("日本語テスト", 9)) == 9
    assert cut("short", 5) == "short"
    assert cut("longer", 2) == ".."


def test_facts_stand_below_each_other() -> None:
    assert facts([("a", "1"), ("long", "2\n3"), ("none", "")]) == "  a     1\n  long  2\n        3"


def on_a_terminal(*arguments: str, cwd: Path, columns: int, **environment: str) -> str:
    """What the command writes when standard output is a terminal."""
    master, slave = pty.openpty()
    settings = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", **environment}
    command = [sys.executable, "-m", "runyard", *arguments]
    process = subprocess.Popen(command, stdout=slave, stderr=slave, cwd=cwd, env=settings)
    os.close(slave)
    written = b""
    while block := _read(master):
        written += block
    assert process.wait() == 0
    os.close(master)
    return written.decode().replace("\r\n", "\n")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux says so that the other end was closed
        return b""


def test_on_a_terminal_states_have_colours_and_lines_fit(make_sweep: MakeSweep, project: Path) -> None:
    make_sweep(note="a note that is much longer than a terminal can be wide " * 3)
    text = on_a_terminal("ls", cwd=project, columns=90)
    assert "\x1b[31mFAILED\x1b[0m" in text
    assert all(cells_wide(line) <= 90 for line in text.splitlines())
    assert "..." in text
    assert "\x1b" not in on_a_terminal("ls", cwd=project, columns=90, NO_COLOR="1")


def test_on_a_terminal_of_many_sweeps_the_newest_twenty_are_listed(make_sweep: MakeSweep, project: Path) -> None:
    for n in range(25):
        make_sweep(f"20260131T{n:06}Z-abc1234", states=())
    lines = on_a_terminal("ls", cwd=project, columns=90).splitlines()
    assert len(lines) == 22
    assert lines[-1] == "... and 5 older: --limit N shows more"


def test_on_a_narrow_terminal_results_leave_columns_out_and_say_so(make_sweep: MakeSweep, project: Path) -> None:
    make_sweep()
    text = on_a_terminal("results", cwd=project, columns=36)
    lines = text.splitlines()
    assert lines[0].split() == ["job", "state", "lr", "seed", "acc", "loss"]
    assert lines[-1].startswith("1 more column (seconds)")
