"""The contract of ``execute.Pool``, against each of them; what needs a process, against those that have one."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runyard.execute import Ended, Event, ForkPool, InlinePool, Pool, Program, SpawnPool, Started, Task

from . import bodies
from .conftest import is_gone, wait_until


def spawn_pool(common: int = 0, cwd: str = "/") -> SpawnPool:
    return SpawnPool(Program(command=(sys.executable, bodies.__file__), cwd=cwd, common=pickle.dumps(common)))


POOLS: dict[str, Callable[[], Pool]] = {
    "fork": lambda: ForkPool(bodies.work),
    "spawn": spawn_pool,
    "inline": lambda: InlinePool(bodies.work),
}


@dataclass
class Runner:
    pool: Pool
    folder: Path
    events: list[Event] = field(default_factory=list)
    tickets: int = 0

    def begin(self, name: Any, **options: Any) -> int:
        self.tickets += 1
        output = self.folder / str(self.tickets) / "output.log"
        self.pool.launch(Task(ticket=self.tickets, payload=name, output=output, **options))
        return self.tickets

    def line_up(self, name: Any, **options: Any) -> int:
        self.tickets += 1
        output = self.folder / str(self.tickets) / "output.log"
        self.pool.line_up(Task(ticket=self.tickets, payload=name, output=output, **options))
        return self.tickets

    def told(self) -> list[tuple[str, int, int | None]]:
        """What was told so far: of which task, and in whose place it began."""
        return [
            ("began", e.ticket, e.after) if isinstance(e, Started) else ("ended", e.ticket, None) for e in self.events
        ]

    def wait(self) -> list[Event]:
        self.events += self.pool.wait(0.05)
        return self.events

    def ended(self, ticket: int) -> Ended | None:
        return next((e for e in self.wait() if isinstance(e, Ended) and e.ticket == ticket), None)

    def end(self, ticket: int) -> Ended:
        ended: Ended = wait_until(lambda: self.ended(ticket))
        return ended

    def run(self, name: Any, **options: Any) -> Ended:
        return self.end(self.begin(name, **options))

    def text(self, ticket: int) -> str:
        output = self.folder / str(ticket) / "output.log"
        return output.read_text(errors="replace") if output.exists() else ""

    def pids(self, ticket: int, count: int) -> list[int]:
        def find() -> list[int]:
            self.wait()
            words = self.text(ticket).split()
            return [int(word) for word in words] if len(words) >= count else []

        found: list[int] = wait_until(find)
        return found


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    with contextlib.suppress(ChildProcessError):
        assert os.waitpid(-1, os.WNOHANG) == (0, 0), "a process was left without being waited for"


def _runner(kind: str, folder: Path) -> Iterator[Runner]:
    runner = Runner(POOLS[kind](), folder)
    runner.pool.start()
    yield runner
    runner.pool.close()


@pytest.fixture(params=list(POOLS))
def any_pool(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runner]:
    yield from _runner(request.param, tmp_path)


@pytest.fixture(params=["fork", "spawn"])
def process_pool(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runner]:
    yield from _runner(request.param, tmp_path)


# -- every pool -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code", "report"),
    [("returns", 0, b"done"), ("returns_a_code", 3, b"done"), ("raises", 70, b"half")],
)
def test_a_task_is_told_to_begin_and_then_to_end_with_its_code_and_report(
    any_pool: Runner, name: str, code: int, report: bytes
) -> None:
    ended = any_pool.run(name)
    assert (ended.exit_code, ended.signal, ended.report) == (code, None, report)
    started, last = any_pool.events
    assert isinstance(started, Started)
    assert started.pid > 1
    assert last is ended


def test_a_report_of_any_length_arrives_whole(any_pool: Runner) -> None:
    assert any_pool.run("reports_much").report == bytes(range(256)) * 20_000


def test_a_payload_of_any_length_arrives(any_pool: Runner) -> None:
    assert any_pool.run(("returns", b"x" * 5_000_000)).report == b"done"


def test_many_tasks_end_once_each(any_pool: Runner) -> None:
    tickets = [any_pool.begin("returns_a_code") for _ in range(12)]
    assert [any_pool.end(ticket).exit_code for ticket in tickets] == [3] * 12
    assert len([e for e in any_pool.events if isinstance(e, Ended)]) == 12
    assert len([e for e in any_pool.events if isinstance(e, Started)]) == 12


# -- the line


def test_a_task_that_fails_passes_its_place_to_nobody(any_pool: Runner) -> None:
    second, first = any_pool.line_up("returns"), any_pool.begin("returns_a_code")
    assert any_pool.end(first).exit_code == 3
    time.sleep(0.1)
    any_pool.wait()
    assert any_pool.told() == [("began", first, None), ("ended", first, None)]
    any_pool.pool.start_now(second)
    assert any_pool.end(second).exit_code == 0
    assert any_pool.told()[2:] == [("began", second, None), ("ended", second, None)]


def test_tasks_that_are_called_back_never_begin(any_pool: Runner) -> None:
    second = any_pool.line_up("returns")
    any_pool.pool.call_back()
    first = any_pool.begin("returns")
    any_pool.end(first)
    time.sleep(0.1)
    any_pool.wait()
    assert any_pool.told() == [("began", first, None), ("ended", first, None)]
    assert any_pool.text(second) == ""


def test_a_task_and_its_children_have_its_variables_and_nobody_else_has(any_pool: Runner) -> None:
    seen = [any_pool.run("tells_its_variables", environment={"RUNYARD_TEST_DEVICES": n}).report for n in "12"]
    assert seen == [b"1\n", b"2\n"]
    assert any_pool.run("tells_its_variables").report == b"\n"
    assert "RUNYARD_TEST_DEVICES" not in os.environ


def test_environment_and_directory_are_fresh_for_every_task(any_pool: Runner) -> None:
    here, path = Path.cwd(), os.environ["PATH"]
    seen = [any_pool.run("changes_its_surroundings").report for _ in range(2)]
    assert seen[0] == seen[1]
    assert seen[0].startswith(b"None False")
    assert (Path.cwd(), os.environ["PATH"]) == (here, path)
    assert "RUNYARD_TEST_LEFT" not in os.environ


def test_a_task_that_fails_takes_no_other_along(any_pool: Runner) -> None:
    tickets = [any_pool.begin(name) for name in ("raises", "returns", "raises", "returns")]
    assert [any_pool.end(ticket).exit_code for ticket in tickets] == [70, 0, 70, 0]


def test_a_signal_to_a_task_that_has_ended_or_never_was_does_nothing(any_pool: Runner) -> None:
    any_pool.run("returns")
    any_pool.pool.signal(1, signal.SIGKILL)
    any_pool.pool.signal(99, signal.SIGKILL)
    assert any_pool.run("returns").exit_code == 0


def test_waiting_for_nothing_ends(any_pool: Runner) -> None:
    assert any_pool.pool.wait(0.01) == []


@pytest.mark.parametrize("kind", list(POOLS))
def test_a_pool_can_be_closed_twice_and_without_being_started(kind: str) -> None:
    pool = POOLS[kind]()
    pool.close()
    pool.start()
    pool.close()
    pool.close()


# -- pools of processes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "exit_code", "number", "words"),
    [
        ("exits_hard", 4, None, "last words"),
        ("crashes", None, signal.SIGSEGV, "in crashes"),
        ("is_killed", None, signal.SIGKILL, ""),
        ("is_terminated", None, signal.SIGTERM, ""),
        ("raises", 70, None, "ValueError: no good"),
        ("has_plain_signals", 0, None, ""),
        ("ends_late", 0, None, "0 its work\n1 its thread\n2 its exit function\n"),
    ],
)
def test_the_end_of_a_process_is_told_as_it_was(
    process_pool: Runner, name: str, exit_code: int | None, number: int | None, words: str
) -> None:
    ended = process_pool.run(name)
    assert (ended.exit_code, ended.signal) == (exit_code, number)
    assert (ended.max_rss_mb or 0) > 1
    assert words in process_pool.text(1)


def test_module_state_is_fresh_for_every_task(process_pool: Runner) -> None:
    assert [process_pool.run("changes_its_module").report for _ in range(3)] == [b""] * 3


@pytest.mark.parametrize("kind", ["fork", "spawn"])
def test_whatever_a_task_writes_goes_to_its_log(kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with contextlib.contextmanager(_runner)(kind, tmp_path) as runner:
        ended = runner.run("writes")
    lines = (tmp_path / "1" / "output.log").read_bytes().splitlines()
    assert [line[:1] for line in lines] == [b"1", b"2", b"3", b"4", b"5", b"6"]
    assert "1 printed \N{SNOWMAN} \\udc80" in runner.text(1)
    assert ended.report == b"''"
    assert capfd.readouterr() == ("", "")


def test_a_task_leads_a_session_of_its_own(process_pool: Runner) -> None:
    assert process_pool.run("leads_a_session").report == b"True"


def test_a_limit_of_memory_makes_requests_fail(process_pool: Runner) -> None:
    assert process_pool.run("fills_its_memory").exit_code == 0
    assert process_pool.run("fills_its_memory", memory_bytes=1_000_000_000).exit_code == 9


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_signal_reaches_a_task_and_everything_it_started(process_pool: Runner, number: int) -> None:
    ticket = process_pool.begin("starts_a_family_and_hangs")
    family = process_pool.pids(ticket, 4)
    process_pool.pool.signal(ticket, number)
    assert process_pool.end(ticket).signal == number
    wait_until(lambda: all(is_gone(pid) for pid in family))


def test_what_a_task_leaves_behind_is_ended_with_it(process_pool: Runner) -> None:
    neighbour = process_pool.begin("starts_a_family_and_hangs")
    theirs = process_pool.pids(neighbour, 4)
    ticket = process_pool.begin("starts_a_family_and_returns")
    process_pool.end(ticket)
    family = process_pool.pids(ticket, 4)
    wait_until(lambda: all(is_gone(pid) for pid in family))
    assert not any(is_gone(pid) for pid in theirs)
    process_pool.pool.close()
    wait_until(lambda: all(is_gone(pid) for pid in theirs))


def test_a_task_in_line_takes_the_place_of_one_that_ends_well(process_pool: Runner) -> None:
    second, third = process_pool.line_up("returns"), process_pool.line_up("tells_its_variables")
    first = process_pool.begin("returns")
    assert process_pool.end(third).report == b"\n"
    assert process_pool.ended(second).report == b"done"
    process_pool.end(first)  # the system may have taken longer to clean up after it than its follower ran
    told = process_pool.told()
    assert len(told) == 6
    assert [begin for begin in told if begin[0] == "began"] == [
        ("began", first, None),
        ("began", second, first),
        ("began", third, second),
    ]
    for ticket, follower in ((first, ("began", second, first)), (second, ("began", third, second))):
        assert told.index(follower) < told.index(("ended", ticket, None))


def test_a_task_in_line_that_has_begun_is_not_started_again(process_pool: Runner) -> None:
    second, first = process_pool.line_up("returns"), process_pool.begin("returns")
    process_pool.end(second)
    process_pool.pool.start_now(second)
    time.sleep(0.1)
    process_pool.wait()
    assert [event for event, ticket, _ in process_pool.told() if ticket == second] == ["began", "ended"]
    assert process_pool.run("returns").exit_code == 0
    assert process_pool.ended(first).exit_code == 0


def test_when_the_template_is_killed_its_jobs_are_lost_and_the_pool_goes_on(process_pool: Runner) -> None:
    template: Any = process_pool.pool
    ticket = process_pool.begin("starts_a_family_and_hangs")
    family = process_pool.pids(ticket, 4)
    os.kill(template._pid, signal.SIGKILL)
    ended = process_pool.end(ticket)
    assert (ended.exit_code, ended.signal, ended.report) == (None, None, b"")
    wait_until(lambda: all(is_gone(pid) for pid in family))
    assert process_pool.run("returns").report == b"done"


@pytest.mark.parametrize("kind", ["fork", "spawn"])
def test_a_task_whose_output_cannot_be_had_is_told(
    kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "1").write_text("a file in the place of the folder")
    with contextlib.contextmanager(_runner)(kind, tmp_path) as runner:
        assert runner.run("returns").exit_code == 70
        assert runner.run("returns").exit_code == 0
    assert "NotADirectoryError" in capfd.readouterr().err


_CONTROLLER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.execute.test_pools import POOLS
from runyard.execute import Task
pool = POOLS[sys.argv[2]]()
pool.start()
for number in range(2):
    output = Path(sys.argv[3]) / str(number) / "output.log"
    pool.launch(Task(ticket=number, payload="starts_a_family_and_hangs", output=output))
while True:
    pool.wait(1)
"""


@pytest.mark.parametrize("kind", ["fork", "spawn"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_when_the_controller_is_killed_no_process_is_left(tmp_path: Path, kind: str, number: int) -> None:
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", _CONTROLLER, root, kind, str(tmp_path)]
    token = f"RUNYARD_TEST_TOKEN={os.getpid()}-{time.monotonic_ns()}"
    environment = {**os.environ, **dict([token.split("=")])}
    with subprocess.Popen(command, env=environment, start_new_session=True) as process:
        try:
            logs = [tmp_path / str(n) / "output.log" for n in range(2)]
            wait_until(lambda: all(log.exists() and len(log.read_text().split()) == 4 for log in logs))
            assert len(_processes_with(token)) >= 2 + 2 * 5
            process.send_signal(number)
            process.wait()
            wait_until(lambda: not _processes_with(token))
        finally:
            process.kill()


def _processes_with(token: str) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit() and token.encode() in Path(f"/proc/{name}/environ").read_bytes():
                found.append(int(name))
    return found


# -- programs ---------------------------------------------------------------------------------------------------------


def test_what_is_common_is_told_to_every_program_and_the_directory_is_its_own(tmp_path: Path) -> None:
    runner = Runner(spawn_pool(common=40, cwd=str(tmp_path)), tmp_path)
    runner.pool.start()
    try:
        assert [runner.run("returns_a_code").exit_code for _ in range(2)] == [43, 43]
        assert runner.run("changes_its_surroundings").report == b"None False False"
    finally:
        runner.pool.close()


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (Program(command=("/not/there",), cwd="/", common=b""), "/not/there"),
        (Program(command=(sys.executable,), cwd="/not/there", common=b""), "/not/there"),
    ],
)
def test_a_program_that_cannot_be_started_is_told_and_says_why(tmp_path: Path, program: Program, words: str) -> None:
    runner = Runner(SpawnPool(program), tmp_path)
    runner.pool.start()
    try:
        assert runner.run("returns").exit_code == 70
        assert words in runner.text(1)
    finally:
        runner.pool.close()


def test_a_file_of_any_name_in_the_working_directory_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pickle", "secrets", "selectors", "signal", "runyard"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('the wrong file')")
    monkeypatch.chdir(tmp_path)
    runner = Runner(spawn_pool(cwd=str(tmp_path)), tmp_path / "out")
    runner.pool.start()
    try:
        assert runner.run("returns").report == b"done", runner.text(1)
    finally:
        runner.pool.close()


def test_no_descriptor_of_the_controller_but_the_standard_ones_reaches_a_program(tmp_path: Path) -> None:
    listing = "import os, sys; print(len(os.listdir('/proc/self/fd'))); sys.exit(0)"
    # the standard ones, the listing itself, and what a shell may have left open to all that it starts
    plain = subprocess.run([sys.executable, "-c", listing], close_fds=False, stdout=subprocess.PIPE, check=True).stdout
    runner = Runner(SpawnPool(Program(command=(sys.executable, "-c", listing), cwd="/", common=b"")), tmp_path)
    with (tmp_path / "open").open("w"):
        runner.pool.start()
        try:
            runner.run("returns")
            assert int(runner.text(1)) == int(plain) + 2  # the report, and what it is told
        finally:
            runner.pool.close()
