from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from runyard.execute import Ended, ForkPool, Report, Started, Task
from runyard.execute.local.child import LAST_WORD

from .conftest import MakeRunner, Runner, is_gone, wait_until

FOREVER_S = 600
SLEEP = [sys.executable, "-c", f"import time; time.sleep({FOREVER_S})"]


def sleep(report: Report) -> None:
    time.sleep(FOREVER_S)


# -- ways to end ----------------------------------------------------------------------------------------------------


def returns(report: Report) -> int:
    report(b"done")
    return 0


def returns_a_code(report: Report) -> int:
    report(b"done")
    return 3


def raises(report: Report) -> None:
    report(b"half")
    raise ValueError("no good")


def exits(report: Report) -> None:
    sys.exit(5)


def exits_hard(report: Report) -> None:
    print("last words")
    os._exit(4)


def exits_hard_as_if_well(report: Report) -> None:
    os._exit(0)


def crashes(report: Report) -> None:
    print("before the crash")
    ctypes.string_at(0)


def aborts(report: Report) -> None:
    os.abort()


def is_killed(report: Report) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def is_terminated(report: Report) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def is_hung_up(report: Report) -> None:
    os.kill(os.getpid(), signal.SIGHUP)


@pytest.mark.parametrize(
    ("body", "exit_code", "number", "report", "output"),
    [
        (returns, 0, None, b"done", ""),
        (returns_a_code, 3, None, b"done", ""),
        (raises, 70, None, b"half", "ValueError: no good"),
        (exits, 70, None, b"", "SystemExit: 5"),
        (exits_hard, 4, None, b"", "last words"),
        (exits_hard_as_if_well, 0, None, b"", ""),
        (crashes, None, signal.SIGSEGV, b"", "before the crash"),
        (crashes, None, signal.SIGSEGV, b"", "in crashes"),
        (aborts, None, signal.SIGABRT, b"", ""),
        (is_killed, None, signal.SIGKILL, b"", ""),
        (is_terminated, None, signal.SIGTERM, b"", ""),
        (is_hung_up, None, signal.SIGHUP, b"", ""),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_end_of_a_task_is_told_as_it_was(
    runner: MakeRunner, body: Any, exit_code: int | None, number: int | None, report: bytes, output: str
) -> None:
    run = runner(body)
    ended = run.run(body)
    assert (ended.exit_code, ended.signal, ended.report) == (exit_code, number, report)
    assert (ended.max_rss_mb or 0) > 1
    assert ended.memory_kills == 0
    assert output in run.text(1)
    started, last = run.events
    assert isinstance(started, Started)
    assert last is ended


def test_a_task_that_fails_takes_no_other_along(runner: MakeRunner) -> None:
    bodies = [crashes, returns, is_killed, exits_hard, aborts, raises]
    run = runner(*bodies)
    tickets = [run.begin(body) for _ in range(3) for body in bodies]
    codes = [run.end(ticket).exit_code for ticket in tickets]
    assert codes == [None, 0, None, 4, None, 70] * 3


def test_a_task_can_be_interrupted_like_any_program(runner: MakeRunner) -> None:
    def interrupted(report: Report) -> int:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(FOREVER_S)
        except KeyboardInterrupt:
            return 130
        return 1

    assert runner(interrupted).run(interrupted).exit_code == 130


def test_a_task_whose_output_cannot_be_had_is_told_and_says_why(
    runner: MakeRunner, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "job1").write_text("a file in the place of the folder")
    run = runner(returns)
    assert run.run(returns).exit_code == 70
    assert run.run(returns).exit_code == 0
    assert "job1" in capfd.readouterr().err


def test_a_task_that_closes_everything_is_told(runner: MakeRunner) -> None:
    def closes(report: Report) -> int:
        os.closerange(0, 200)
        return 7

    assert runner(closes).run(closes).exit_code == 7


# -- signals and what tasks start ---------------------------------------------------------------------------------


def _pids_in(run: Runner, ticket: int, count: int) -> list[int]:
    """Process numbers that a task has printed."""

    def find() -> list[int]:
        words = run.text(ticket).split() if run.output(ticket).exists() else []
        return [int(word) for word in words] if len(words) >= count else []

    found: list[int] = wait_until(find)
    return found


def _start_family() -> None:
    """Starts a child, one in a session of its own, one that forked twice away, and one forked into its own session."""
    for new_session in (False, True):
        print(subprocess.Popen(SLEEP, start_new_session=new_session).pid)
    daemon = "import os, subprocess, sys; print(subprocess.Popen(sys.argv[1:], start_new_session=True, stdout=2).pid)"
    print(subprocess.run([sys.executable, "-c", daemon, *SLEEP], stdout=subprocess.PIPE, text=True).stdout.strip())
    pid = os.fork()
    if pid == 0:
        os.setsid()
        time.sleep(FOREVER_S)
    print(pid)


def starts_a_family_and_hangs(report: Report) -> None:
    _start_family()
    time.sleep(FOREVER_S)


def starts_a_family_and_returns(report: Report) -> None:
    _start_family()


def starts_a_family_and_dies(report: Report) -> None:
    _start_family()
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_signal_reaches_a_task_and_everything_it_started(runner: MakeRunner, number: int) -> None:
    run = runner(starts_a_family_and_hangs)
    ticket = run.begin(starts_a_family_and_hangs)
    family = _pids_in(run, ticket, 4)
    run.pool.signal(ticket, number)
    assert run.end(ticket).signal == number
    wait_until(lambda: all(is_gone(pid) for pid in family))


def test_a_task_may_refuse_a_request_to_end_but_not_a_kill(runner: MakeRunner) -> None:
    def stubborn(report: Report) -> None:
        signal.signal(signal.SIGTERM, lambda *_: os.write(1, b"no"))
        print("ready")
        while True:
            time.sleep(0.01)

    run = runner(stubborn)
    ticket = run.begin(stubborn)
    wait_until(lambda: run.output(ticket).exists() and "ready" in run.text(ticket))
    run.pool.signal(ticket, signal.SIGTERM)
    wait_until(lambda: "no" in run.text(ticket))
    assert run.ended(ticket) is None
    run.pool.signal(ticket, signal.SIGKILL)
    assert run.end(ticket).signal == signal.SIGKILL


@pytest.mark.parametrize("body", [starts_a_family_and_returns, starts_a_family_and_dies])
@pytest.mark.parametrize("has_neighbour", [False, True])
def test_what_a_task_leaves_behind_is_ended_with_it(runner: MakeRunner, body: Any, has_neighbour: bool) -> None:
    run = runner(body, starts_a_family_and_hangs)
    neighbour = run.begin(starts_a_family_and_hangs) if has_neighbour else 0
    theirs = _pids_in(run, neighbour, 4) if has_neighbour else []
    ticket = run.begin(body)
    run.end(ticket)
    family = _pids_in(run, ticket, 4)
    wait_until(lambda: all(is_gone(pid) for pid in family))
    assert not any(is_gone(pid) for pid in theirs)
    run.pool.close()
    wait_until(lambda: all(is_gone(pid) for pid in theirs))


def test_a_signal_to_a_task_that_has_ended_does_nothing(runner: MakeRunner) -> None:
    run = runner(returns, sleep)
    run.run(returns)
    run.pool.signal(1, signal.SIGKILL)
    run.pool.signal(99, signal.SIGKILL)
    assert run.run(returns).exit_code == 0


def test_each_task_leads_a_session_of_its_own(runner: MakeRunner) -> None:
    def tells(report: Report) -> None:
        report(f"{os.getpid()} {os.getsid(0)} {os.getpgid(0)}".encode())

    pid, session, group = runner(tells).run(tells).report.split()
    assert pid == session == group


# -- reports and output ---------------------------------------------------------------------------------------------


def test_a_report_of_any_length_arrives_whole(runner: MakeRunner) -> None:
    def reports(report: Report) -> None:
        report(bytes(range(256)) * 20_000)

    run = runner(reports)
    tickets = [run.begin(reports) for _ in range(3)]
    assert all(run.end(ticket).report == bytes(range(256)) * 20_000 for ticket in tickets)


def test_many_small_reports_arrive_in_their_order(runner: MakeRunner) -> None:
    def reports(report: Report) -> None:
        for number in range(5000):
            report(b"%d," % number)

    assert runner(reports).run(reports).report == b"".join(b"%d," % n for n in range(5000))


def test_large_tasks_and_large_reports_do_not_wait_for_each_other(tmp_path: Path) -> None:
    pool = ForkPool(lambda payload, report: report(payload) or 0)
    pool.start()
    try:
        for ticket in range(8):  # without listening in between
            pool.launch(
                Task(ticket=ticket, payload=bytes([ticket]) * 3_000_000, output=tmp_path / str(ticket) / "output.log")
            )
        ended: dict[int, bytes] = {}
        deadline = time.monotonic() + 60
        while len(ended) < 8 and time.monotonic() < deadline:
            ended |= {e.ticket: e.report for e in pool.wait(0.1) if isinstance(e, Ended)}
        assert ended == {ticket: bytes([ticket]) * 3_000_000 for ticket in range(8)}
    finally:
        pool.close()


def test_whatever_a_task_writes_goes_to_its_log(runner: MakeRunner, capfd: pytest.CaptureFixture[str]) -> None:
    def writes(report: Report) -> None:
        print("1 printed \N{SNOWMAN} \udc80")
        os.write(1, b"2 written \xff\n")
        print("3 to stderr", file=sys.stderr)
        subprocess.run(["sh", "-c", "echo 4 by a child; echo 5 by a child to stderr >&2"], check=True)
        ctypes.CDLL(None).puts(b"6 by C")
        ctypes.CDLL(None).fflush(None)
        print("7 without an end", end="")
        report(repr(sys.stdin.read()).encode())

    run = runner(writes)
    ended = run.run(writes)
    lines = run.output(1).read_bytes().splitlines()
    assert [line[:1] for line in lines] == [b"1", b"2", b"3", b"4", b"5", b"6", b"7"]
    assert "1 printed \N{SNOWMAN} \\udc80" in run.text(1)
    assert ended.report == b"''"
    assert capfd.readouterr() == ("", "")


def test_a_second_attempt_writes_behind_the_first(runner: MakeRunner) -> None:
    def writes(report: Report) -> None:
        print("attempt")

    run = runner(writes)
    for ticket in (1, 2):
        task = Task(ticket=ticket, payload="writes", output=run.folder / "same" / "output.log")
        run.pool.launch(task)
        run.end(ticket)
    assert (run.folder / "same" / "output.log").read_text() == "attempt\nattempt\n"


def test_a_flood_of_output_does_no_harm(runner: MakeRunner) -> None:
    def floods(report: Report) -> None:
        for _ in range(300):
            os.write(1, b"x" * 100_000)

    run = runner(floods)
    assert run.run(floods).exit_code == 0
    assert run.output(1).stat().st_size == 30_000_000


# -- the state that a task finds ---------------------------------------------------------------------------------

_SEEN: list[str] = []


def test_each_task_finds_the_state_of_the_controllers_start_and_leaves_no_trace(runner: MakeRunner) -> None:
    def changes(report: Report) -> None:
        report(",".join(_SEEN).encode())
        _SEEN.append("task")
        os.environ["RUNYARD_TEST_LEFT"] = "x"
        os.chdir("/")

    _SEEN[:] = ["before"]
    here = Path.cwd()
    run = runner(changes)
    _SEEN.append("after")
    assert [run.run(changes).report for _ in range(3)] == [b"before"] * 3
    assert Path.cwd() == here
    assert "RUNYARD_TEST_LEFT" not in os.environ


def test_a_task_has_its_environment_and_its_children_too(runner: MakeRunner) -> None:
    def tells(report: Report) -> None:
        report(subprocess.run(["sh", "-c", "echo $CUDA_VISIBLE_DEVICES $RUNYARD_TOKEN"], capture_output=True).stdout)

    run = runner(tells)
    first = run.run(tells, CUDA_VISIBLE_DEVICES="1,2").report.split()
    second = run.run(tells, CUDA_VISIBLE_DEVICES="3").report.split()
    assert (first[0], second[0]) == (b"1,2", b"3")
    assert first[1].startswith(b"runyard-")
    assert first[1] != second[1]
    assert "RUNYARD_TOKEN" not in os.environ


def test_signals_mean_to_a_task_what_they_mean_to_a_new_process(runner: MakeRunner) -> None:
    def tells(report: Report) -> None:
        numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
        assert [signal.getsignal(n) for n in numbers] == [signal.SIG_DFL] * 3
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()

    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        run = runner(tells)
        assert run.run(tells).exit_code == 0, run.text(1)
    finally:
        signal.signal(signal.SIGTERM, before)


def _in_a_new_process(code: str, folder: Path) -> list[str]:
    """Runs three tasks one after the other in a fresh interpreter; returns what they reported."""
    script = f"""
import sys
from pathlib import Path
from runyard.execute import Ended, ForkPool, Task
{code}
pool = ForkPool(lambda payload, report: report(work().encode()) or 0)
pool.start()
for ticket in range(3):
    pool.launch(Task(ticket=ticket, payload=None, output=Path(sys.argv[1]) / str(ticket)))
    ended = []
    while not ended:
        ended = [e for e in pool.wait(1) if isinstance(e, Ended)]
    print(ended[0].report.decode())
pool.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("code", "is_same"),
    [
        ("import numpy as np\ndef work(): return str(np.random.rand())", False),
        ("import numpy as np\nnp.random.rand()\ndef work(): return str(np.random.rand())", False),
        ("import numpy as np\nnp.random.seed(1)\ndef work(): return str(np.random.rand())", True),
        ("def work():\n    import numpy as np\n    return str(np.random.rand())", False),
        ("import random\ndef work(): return str(random.random())", False),
        ("import uuid\ndef work(): return uuid.uuid4().hex", False),
        ("import tempfile\ndef work(): return next(tempfile._get_candidate_names())", False),
    ],
)
def test_random_numbers_differ_between_tasks_unless_they_were_seeded(tmp_path: Path, code: str, is_same: bool) -> None:
    assert (len(set(_in_a_new_process(code, tmp_path))) == 1) is is_same


_TORCH = """
class torch:
    now = {seed}
    initial_seed = staticmethod(lambda: torch.now)
    @staticmethod
    def seed():
        import os
        torch.now = int.from_bytes(os.urandom(7), "big")
sys.modules["torch"] = torch
def work(): return str(torch.now)
"""


@pytest.mark.parametrize(("seed", "is_same"), [(67280421310721, False), (42, True), (2**32 - 1, True)])
def test_torch_is_seeded_anew_unless_the_application_has_seeded_it(tmp_path: Path, seed: int, is_same: bool) -> None:
    seen = _in_a_new_process(_TORCH.format(seed=seed), tmp_path)
    assert (seen == [str(seed)] * 3) is is_same
    assert (len(set(seen)) == 1) is is_same


# -- how a task's process ends --------------------------------------------------------------------------------------


def test_a_task_ends_as_an_interpreter_does(runner: MakeRunner, tmp_path: Path) -> None:
    def works(report: Report) -> None:
        atexit.register(print, "2 its exit function")
        threading.Thread(target=lambda: (time.sleep(0.1), print("1 its thread"))).start()
        print("0 its work")

    atexit.register(print, "the controller's exit function")
    try:
        run = runner(works)
        assert run.run(works).exit_code == 0
    finally:
        atexit.unregister(print)
    assert run.text(1) == "0 its work\n1 its thread\n2 its exit function\n"


def test_idle_threads_do_not_keep_a_task_from_ending(runner: MakeRunner) -> None:
    executor = ThreadPoolExecutor(2)  # alive in the task too, as a module's would be

    def works(report: Report) -> None:
        executor.submit(print, "in a thread").result()
        threading.Thread(target=time.sleep, args=[FOREVER_S], daemon=True).start()

    run = runner(works)
    assert run.run(works).exit_code == 0
    assert "in a thread" in run.text(1)
    executor.shutdown()


def test_a_task_removes_its_own_temporary_directories_and_not_the_controllers(
    runner: MakeRunner, tmp_path: Path
) -> None:
    ours = tempfile.TemporaryDirectory(dir=tmp_path)
    kept: list[Any] = []

    def works(report: Report) -> None:
        kept.append(tempfile.TemporaryDirectory(dir=tmp_path))
        report(kept[0].name.encode())

    run = runner(works)
    theirs = Path(run.run(works).report.decode())
    assert theirs.parent == tmp_path
    assert not theirs.exists()
    assert Path(ours.name).exists()
    ours.cleanup()


def test_a_tasks_own_processes_are_waited_for_as_multiprocessing_promises(runner: MakeRunner) -> None:
    import multiprocessing

    def works(report: Report) -> None:
        process = multiprocessing.get_context("fork").Process(target=lambda: (time.sleep(0.2), print("in the child")))
        process.start()

    run = runner(works)
    assert run.run(works).exit_code == 0
    assert run.text(1) == "in the child\n"


def test_an_exit_function_that_fails_is_said_and_does_no_harm(tmp_path: Path) -> None:
    code = "import atexit\ndef work():\n    atexit.register(lambda: 1 / 0)\n    return 'done'"
    assert _in_a_new_process(code, tmp_path) == ["done"] * 3
    assert "ZeroDivisionError" in (tmp_path / "0").read_text()


# -- the end of the template, the controller and the pool -------------------------------------------------------------


def _template_of(pool: ForkPool) -> int:
    return pool._pid


def test_when_the_template_is_killed_its_jobs_are_lost_and_the_pool_goes_on(runner: MakeRunner) -> None:
    run = runner(starts_a_family_and_hangs, returns)
    tickets = [run.begin(starts_a_family_and_hangs) for _ in range(2)]
    everything = [pid for ticket in tickets for pid in (run.pid(ticket), *_pids_in(run, ticket, 4))]
    for _ in range(2):
        first = _template_of(run.pool)
        os.kill(first, signal.SIGKILL)
        ends = [run.end(ticket) for ticket in tickets]
        assert [(e.exit_code, e.signal, e.report) for e in ends] == [(None, None, b"")] * 2
        assert _template_of(run.pool) != first
        wait_until(lambda pids=everything: all(is_gone(pid) for pid in pids))
        assert run.run(returns).report == b"done"
        tickets = [run.begin(starts_a_family_and_hangs) for _ in range(2)]
        everything = [pid for ticket in tickets for pid in (run.pid(ticket), *_pids_in(run, ticket, 4))]


def test_tasks_begun_while_there_is_no_template_are_lost_and_told(runner: MakeRunner) -> None:
    run = runner(sleep, returns)
    os.kill(_template_of(run.pool), signal.SIGKILL)
    tickets = [run.begin(sleep) for _ in range(3)]
    assert [run.end(t).exit_code for t in tickets] == [None] * 3
    assert run.run(returns).exit_code == 0


def test_the_controllers_own_children_survive_the_end_of_the_template(runner: MakeRunner) -> None:
    with subprocess.Popen(SLEEP) as own:
        run = runner(sleep)
        ticket = run.begin(sleep)
        run.pid(ticket)
        os.kill(_template_of(run.pool), signal.SIGKILL)
        run.end(ticket)
        run.pool.close()
        assert own.poll() is None
        own.kill()


def test_closing_the_pool_ends_everything(runner: MakeRunner) -> None:
    run = runner(starts_a_family_and_hangs)
    tickets = [run.begin(starts_a_family_and_hangs) for _ in range(3)]
    everything = [pid for ticket in tickets for pid in (run.pid(ticket), *_pids_in(run, ticket, 4))]
    run.pool.close()
    assert all(is_gone(pid) for pid in everything)
    run.pool.close()  # a second time is harmless


def test_a_pool_that_was_never_started_can_be_closed() -> None:
    ForkPool(lambda payload, report: 0).close()


_CONTROLLER = """
import os, subprocess, sys, time
from pathlib import Path
from runyard.execute import ForkPool, Task
folder = Path(sys.argv[1])
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
def work(payload, report):
    subprocess.Popen(SLEEP)
    subprocess.Popen(SLEEP, start_new_session=True)
    if os.fork() == 0:
        os.setsid()
    (folder / f"{payload}.{os.getpid()}.ready").touch()
    time.sleep(600)
pool = ForkPool(work)
pool.start()
for number in range(3):
    pool.launch(Task(ticket=number, payload=number, output=folder / str(number) / "output.log"))
while True:
    pool.wait(1)
"""


def _processes_with(token: str) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit() and token.encode() in Path(f"/proc/{name}/environ").read_bytes():
                found.append(int(name))
    return found


@pytest.fixture
def controller(tmp_path: Path) -> Any:
    """A process with a pool of three tasks, each with children; every process of it has a token in its environment."""
    token = f"RUNYARD_TEST_TOKEN={os.getpid()}-{time.monotonic_ns()}"
    name, value = token.split("=")
    with subprocess.Popen(
        [sys.executable, "-c", _CONTROLLER, str(tmp_path)], env={**os.environ, name: value}, start_new_session=True
    ) as process:
        wait_until(lambda: len(list(tmp_path.glob("*.ready"))) == 6)
        assert len(_processes_with(token)) >= 2 + 3 * 4
        yield process, token
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_when_the_controller_is_killed_no_process_is_left(
    controller: tuple[subprocess.Popen[bytes], str], number: int
) -> None:
    process, token = controller
    os.kill(process.pid, number)
    process.wait()
    wait_until(lambda: not _processes_with(token))


def test_ctrl_c_at_the_terminal_is_the_controllers_alone(controller: tuple[subprocess.Popen[bytes], str]) -> None:
    process, token = controller
    before = set(_processes_with(token)) - {process.pid}
    os.kill(process.pid, signal.SIGSTOP)  # so that it does not end them itself
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.2)
    assert before <= set(_processes_with(token))


def answers(report: Report) -> None:
    report(b"here")


def _waiting_processes(run: Runner, *tickets: int, count: int) -> set[int]:
    """The processes that the template has forked ahead, as soon as there are so many."""
    jobs = {run.pid(ticket) for ticket in tickets}
    template = Path(f"/proc/{min(jobs)}/stat").read_text().rpartition(")")[2].split()[1]

    def find() -> set[int]:
        found = {int(word) for word in Path(f"/proc/{template}/task/{template}/children").read_text().split()} - jobs
        return found if len(found) == count else set()

    found: set[int] = wait_until(find)
    return found


def test_processes_that_were_forked_ahead_get_the_next_tasks(runner: MakeRunner) -> None:
    run = runner(sleep, answers)
    ahead = _waiting_processes(run, run.begin(sleep), run.begin(sleep), count=2)
    tickets = [run.begin(answers) for _ in range(3)]
    assert ahead < {run.pid(ticket) for ticket in tickets}  # the third was forked for its task
    assert [run.end(ticket).report for ticket in tickets] == [b"here"] * 3


def test_a_process_that_was_forked_ahead_and_killed_is_passed_over(runner: MakeRunner) -> None:
    run = runner(sleep, answers)
    (ahead,) = _waiting_processes(run, run.begin(sleep), count=1)
    os.kill(ahead, signal.SIGKILL)
    wait_until(lambda: is_gone(ahead))
    assert run.run(answers).report == b"here"


def test_a_spare_process_has_its_task_before_its_turn(runner: MakeRunner) -> None:
    run = runner(sleep, answers)
    first = run.begin(sleep)
    (ahead,) = _waiting_processes(run, first, count=1)
    second, third = run.line_up(answers), run.line_up(answers)
    time.sleep(0.2)
    assert not run.output(second).exists()
    os.kill(ahead, signal.SIGSTOP)  # what it has done by now it has done ahead
    os.kill(run.pid(first), signal.SIGKILL)
    assert run.end(first).signal == signal.SIGKILL
    assert run.started(second) is None
    run.pool.start_now(second)
    assert run.pid(second) == ahead
    os.kill(ahead, signal.SIGCONT)
    assert run.end(third).report == run.end(second).report == b"here"


def test_a_spare_process_whose_task_is_called_back_goes(runner: MakeRunner) -> None:
    run = runner(sleep, answers)
    first = run.begin(sleep)
    (ahead,) = _waiting_processes(run, first, count=1)
    second = run.line_up(answers)
    run.pool.call_back()
    wait_until(lambda: is_gone(ahead))
    assert run.run(answers).report == b"here"
    assert not run.output(second).exists()


def test_a_spare_process_that_was_killed_with_its_task_is_passed_over(runner: MakeRunner) -> None:
    run = runner(sleep, answers)
    (ahead,) = _waiting_processes(run, run.begin(sleep), count=1)
    second = run.line_up(answers)
    time.sleep(0.1)
    os.kill(ahead, signal.SIGKILL)
    wait_until(lambda: is_gone(ahead))
    run.pool.start_now(second)
    assert run.end(second).report == b"here"


@contextlib.contextmanager
def _handed_ahead(folder: Path, pool: ForkPool) -> Iterator[tuple[Runner, int]]:
    """A task "short" that a spare process has while "long" runs; its turn has not come."""
    run = Runner(folder)
    run.pool = pool
    pool.start()
    try:
        _waiting_processes(run, run.begin_named("long"), count=1)
        yield run, run.line_up_named("short")
    finally:
        pool.close()


def test_what_is_done_ahead_is_done_before_the_turn_and_in_the_same_process(tmp_path: Path) -> None:
    def work(payload: Any, report: Report) -> int:
        if payload == "long":
            time.sleep(600)
        report(str(os.getpid()).encode())
        return 0

    def ahead(payload: Any) -> None:
        (tmp_path / f"{payload}-{os.getpid()}").touch()

    with _handed_ahead(tmp_path, ForkPool(work, ahead=ahead)) as (run, second):
        (mark,) = wait_until(lambda: list(tmp_path.glob("short-*")))
        assert run.started(second) is None
        run.pool.start_now(second)
        assert mark.name == f"short-{run.end(second).report.decode()}"


def test_what_fails_ahead_is_left_to_the_turn(tmp_path: Path) -> None:
    def work(payload: Any, report: Report) -> int:
        if payload == "long":
            time.sleep(600)
        raise ValueError("no good")

    def ahead(payload: Any) -> None:
        (tmp_path / payload).touch()
        raise ValueError("no good")

    with _handed_ahead(tmp_path, ForkPool(work, ahead=ahead)) as (run, second):
        wait_until((tmp_path / "short").exists)
        run.pool.start_now(second)
        assert run.end(second).exit_code == 70
        assert "ValueError: no good" in run.output(second).read_text()


def test_a_follower_need_not_wait_until_the_system_has_cleaned_up(runner: MakeRunner) -> None:
    def says_its_last_and_lingers(report: Report) -> int:
        report(b"done" + LAST_WORD)
        time.sleep(600)
        return 0

    run = runner(says_its_last_and_lingers, answers)
    second, first = run.line_up(answers), run.begin(says_its_last_and_lingers)
    assert run.end(second).report == b"here"
    assert Started(ticket=second, pid=run.pid(second), after=first) in run.events
    os.kill(run.pid(first), signal.SIGKILL)
    ended = run.end(first)
    assert (ended.signal, ended.report) == (signal.SIGKILL, b"done")


def test_a_follower_waits_while_exit_functions_run(runner: MakeRunner) -> None:
    def leaves_something_to_do(report: Report) -> int:
        atexit.register(time.sleep, 600)
        report(b"done")
        return 0

    run = runner(leaves_something_to_do, answers)
    second, first = run.line_up(answers), run.begin(leaves_something_to_do)
    run.pid(first)
    time.sleep(0.5)
    run.wait()
    assert run.started(second) is None


_SHORT_OF_DESCRIPTORS = """
import resource, sys, time
from pathlib import Path
from runyard.execute import Ended, ForkPool, Task
def work(payload, report):
    time.sleep(2)
    return 0
pool = ForkPool(work)
resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
pool.start()
for ticket in range(40):
    pool.launch(Task(ticket=ticket, payload=None, output=Path(sys.argv[1]) / str(ticket) / "output.log"))
codes = []
while len(codes) < 40:
    codes += [e.exit_code for e in pool.wait(1) if isinstance(e, Ended)]
pool.close()
print(codes.count(0), codes.count(71))
"""


def test_a_task_for_which_there_is_no_room_fails_alone(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SHORT_OF_DESCRIPTORS, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    completed, refused = map(int, done.stdout.split())
    assert completed + refused == 40
    assert completed >= 3
    assert refused >= 3
    texts = [p.read_text() for p in tmp_path.glob("*/output.log")]
    assert sum("could not start a process" in text for text in texts) == refused


def test_two_hundred_tasks_run_eight_at_a_time(runner: MakeRunner) -> None:
    def works(report: Report) -> None:
        report(os.environ["NUMBER"].encode())

    run = runner(works)
    waiting, running, most = list(range(200)), set[int](), 0
    while waiting or running:
        while waiting and len(running) < 8:
            running.add(run.begin(works, NUMBER=str(waiting.pop(0))))
        most = max(most, len(running))
        run.wait()
        running = {ticket for ticket in running if run.ended(ticket) is None}
    ends = [e for e in run.events if isinstance(e, Ended)]
    assert sorted(int(e.report) for e in ends) == list(range(200))
    assert [e.exit_code for e in ends] == [0] * 200
    assert len({e.ticket for e in ends}) == 200
    assert most == 8


def test_two_pools_do_not_touch_each_other(runner: MakeRunner, tmp_path: Path) -> None:
    one, two = runner(sleep), runner(returns)
    ticket = one.begin(sleep)
    pid = one.pid(ticket)
    two.folder = tmp_path / "two"
    assert two.run(returns).exit_code == 0
    two.pool.close()
    assert not is_gone(pid)
    one.pool.signal(ticket, signal.SIGKILL)
    assert one.end(ticket).signal == signal.SIGKILL
