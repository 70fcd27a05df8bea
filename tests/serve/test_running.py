"""``runyard serve`` as a process: what it says, what it refuses, and that its end ends no sweep."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest
from tests.serve.conftest import serve, write_app


def test_a_server_that_is_killed_during_a_sweep_shows_it_going_on_when_it_is_back(tmp_path: Path) -> None:
    write_app(tmp_path)
    first = serve(tmp_path)
    try:
        client = first.client()
        run_id = client.start("x=1,2,4", "wait_for=go")
    finally:
        first.kill()
    second = serve(tmp_path)
    try:
        client = second.client()
        now = client.get(f"/api/runs/{run_id}").json()
        assert (now["state"], now["is_at_work"]) == ("RUNNING", True)
        (tmp_path / "go").touch()
        assert client.end_of(run_id)["counts"] == {"COMPLETED": 3}
    finally:
        second.kill()


def test_ctrl_c_ends_the_server_while_a_log_is_followed_and_no_sweep(tmp_path: Path) -> None:
    write_app(tmp_path)
    served = serve(tmp_path)
    try:
        client = served.client()
        run_id = client.start("x=1,2", "wait_for=go")
        headers = {"Authorization": f"Bearer {(tmp_path / 'token').read_text()}"}
        with client.http.stream(
            "GET", f"/api/runs/{run_id}/logs", params={"job": 0, "follow": True}, headers=headers
        ) as answer:
            next(answer.iter_text())
            served.process.send_signal(signal.SIGINT)
            assert served.process.wait(30) == 130
    finally:
        served.kill()
    again = serve(tmp_path)
    try:
        (tmp_path / "go").touch()
        assert again.client().end_of(run_id)["counts"] == {"COMPLETED": 2}
    finally:
        again.kill()


def test_the_token_is_printed_once_and_in_no_process_list(shell: Any) -> None:
    write_app(shell.cwd)
    process = shell.start("-m", "runyard", "serve", "--app", "small.py", "--port", "0")
    deadline = time.monotonic() + 60
    while "token  " not in (text := (shell.cwd / "started.log").read_text()):
        assert process.poll() is None, text
        assert time.monotonic() < deadline
        time.sleep(0.1)
    token = text.split("token  ")[1].split()[0]
    assert len(token) >= 40
    assert token not in Path(f"/proc/{process.pid}/cmdline").read_text()
    assert token not in Path(f"/proc/{process.pid}/environ").read_text()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--app", "nothing_like_it"], "nothing_like_it"),
        (["--app", "plain.py"], "something else than its config"),
        (["--host", "0.0.0.0", "--no-token"], "without a token"),
        (["--host", "256.0.0.1"], "cannot be listened on"),
        (["--no-token", "--token-file", "t"], "contradict"),
        (["--fields", "none.yaml"], "cannot be read"),
        (["--fields", "bad.yaml"], "unknown key 'field'"),
        (["--max-jobs", "0"], "--max-jobs"),
        (["--port", "70000"], "no port"),
        (["--allow-host", "a b"], "no name of a host"),
    ],
)
def test_wrong_options_are_told_with_what_to_do(shell: Any, options: list[str], told: str) -> None:
    (shell.cwd / "plain.py").write_text("print('hello')\n")
    (shell.cwd / "bad.yaml").write_text("field: {}\n")
    done = shell.runyard("serve", *options, check=2)
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_told(tmp_path: Path, shell: Any) -> None:
    write_app(tmp_path)
    served = serve(tmp_path)
    try:
        port = served.address.rpartition(":")[2]
        assert "cannot be listened on" in shell.runyard("serve", "--port", port, check=2).stderr
    finally:
        served.kill()
