"""Tasks by name, for pools whose jobs are programs: ``python bodies.py`` runs the one that its payload names."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from runyard.execute import Report, end_process, inherited

FOREVER_S = 600
SLEEP = [sys.executable, "-c", f"import time; time.sleep({FOREVER_S})"]
SEEN: list[str] = []


def returns(report: Report) -> int:
    report(b"done")
    return 0


def returns_a_code(report: Report) -> int:
    report(b"done")
    return 3


def reports_much(report: Report) -> int:
    report(bytes(range(256)) * 20_000)
    return 0


def raises(report: Report) -> int:
    report(b"half")
    raise ValueError("no good")


def tells_its_variables(report: Report) -> int:
    command = ["sh", "-c", "echo $RUNYARD_TEST_DEVICES"]
    report(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return 0


def changes_its_surroundings(report: Report) -> int:
    report(f"{os.environ.get('RUNYARD_TEST_LEFT')} {os.environ['PATH'] == '/changed'} {os.getcwd() == '/'}".encode())
    os.environ["RUNYARD_TEST_LEFT"] = "x"
    os.environ["PATH"] = "/changed"
    os.chdir("/")
    return 0


def changes_its_module(report: Report) -> int:
    report(",".join(SEEN).encode())
    SEEN.append("task")
    return 0


def writes(report: Report) -> int:
    print("1 printed \N{SNOWMAN} \udc80")
    os.write(1, b"2 written \xff\n")
    print("3 to stderr", file=sys.stderr)
    subprocess.run(["sh", "-c", "echo 4 by a child; echo 5 by a child to stderr >&2"], check=True)
    print("6 without an end", end="")
    report(repr(sys.stdin.read()).encode())
    return 0


def exits_hard(report: Report) -> int:
    print("last words")
    os._exit(4)


def crashes(report: Report) -> int:
    print("before the crash")
    ctypes.string_at(0)
    return 0


def is_killed(report: Report) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def is_terminated(report: Report) -> int:
    os.kill(os.getpid(), signal.SIGTERM)
    return 0


def leads_a_session(report: Report) -> int:
    report(f"{os.getpid() == os.getsid(0) == os.getpgid(0)}".encode())
    return 0


def fills_its_memory(report: Report) -> int:
    try:
        block = bytearray(2_000_000_000)
    except MemoryError:
        return 9
    return len(block) and 0


def has_plain_signals(report: Report) -> int:
    plain = all(signal.getsignal(n) is signal.SIG_DFL for n in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD))
    plain = plain and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    return 0 if plain and signal.pthread_sigmask(signal.SIG_BLOCK, []) == set() else 1


def ends_late(report: Report) -> int:
    import atexit
    import threading

    atexit.register(print, "2 its exit function")
    threading.Thread(target=lambda: (time.sleep(0.1), print("1 its thread"))).start()
    print("0 its work")
    return 0


def starts_a_family_and_hangs(report: Report) -> int:
    starts_a_family_and_returns(report)
    time.sleep(FOREVER_S)
    return 0


def starts_a_family_and_returns(report: Report) -> int:
    """Starts a child, one in a session of its own, one that forked twice away, and one forked into its own session."""
    for new_session in (False, True):
        print(subprocess.Popen(SLEEP, start_new_session=new_session).pid)
    daemon = "import os, subprocess, sys; print(subprocess.Popen(sys.argv[1:], start_new_session=True, stdout=2).pid)"
    print(
        subprocess.run([sys.executable, "-c", daemon, *SLEEP], stdout=subprocess.PIPE, text=True, check=True).stdout,
        end="",
    )
    pid = os.fork()
    if pid == 0:
        os.setsid()
        time.sleep(FOREVER_S)
    print(pid)
    return 0


def work(payload: Any, report: Report) -> int:
    """Runs the task that a payload names; the payload may have more behind the name."""
    name = payload if isinstance(payload, str) else payload[0]
    body: Callable[[Report], int] = globals()[name]
    return body(report)


def main() -> None:
    """The program of a ``SpawnPool``: what is common is a number that is added to the code."""
    common, payload, report = inherited()
    try:
        code = work(payload, report) + common
    except BaseException:
        import traceback

        traceback.print_exc()
        code = os.EX_SOFTWARE
    end_process(code)


if __name__ == "__main__":
    main()
