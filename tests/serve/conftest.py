"""A service over a folder with a small application, in this process or in one of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from runyard.serve import ServeSettings, create_app

TOKEN = "a-token-that-is-long-enough"
APP = """
import time
from pathlib import Path

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

ConfigStore.instance().store(
    name="c", node=OmegaConf.create({"x": 1, "y": {"z": 0}, "wait_for": "", "db": {"password": "none"}})
)

@hydra.main(version_base=None, config_name="c", config_path=None)
def main(cfg):
    print("\\x1b[32mx is\\x1b[0m", cfg.x, flush=True)
    print(f"password={cfg.db.password}", flush=True)
    while cfg.wait_for and not Path(cfg.wait_for).exists():
        time.sleep(0.05)
    if cfg.x == 3:
        raise ValueError("x is 3")
    return {"twice": 2 * float(cfg.x)}

if __name__ == "__main__":
    main()
"""


def write_app(folder: Path) -> Path:
    """The application ``small.py``."""
    path = folder / "small.py"
    path.write_text(APP)
    return path


@dataclass
class Client:
    """Asks a service with the right token, as a program does."""

    http: Any
    folder: Path

    def get(self, path: str, **options: Any) -> Any:
        return self.http.get(path, headers={"Authorization": f"Bearer {TOKEN}"}, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return self.http.post(path, json=body, headers={"Authorization": f"Bearer {TOKEN}"}, **options)

    def start(self, *overrides: str, **body: Any) -> str:
        """Starts, and returns the id."""
        answer = self.post("/api/runs", {"overrides": list(overrides), **body})
        assert answer.status_code in (201, 202), answer.text
        return str(answer.json()["run_id"])

    def end_of(self, run_id: str, timeout_s: float = 90) -> dict[str, Any]:
        """The run when nobody is at work on it any more."""
        deadline = time.monotonic() + timeout_s
        while (now := self.get(f"/api/runs/{run_id}").json())["is_at_work"]:
            assert time.monotonic() < deadline, now
            time.sleep(0.1)
        return dict(now)


def settings_of(folder: Path, **changes: Any) -> ServeSettings:
    values = {"app": "small.py", "cwd": folder, "token": TOKEN, "most_jobs": 50, **changes}
    return ServeSettings(**values)


@contextmanager
def listening(settings: ServeSettings) -> Iterator[Client]:
    """A service in a thread of this process, on a free port."""
    application = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(application, log_level="error", timeout_graceful_shutdown=2))
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        place.listen(64)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{place.getsockname()[1]}", timeout=120) as http:
                yield Client(http, settings.cwd)
        finally:
            server.should_exit = True
            thread.join(30)


@pytest.fixture(autouse=True)
def own_devices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Sweeps of one test share the machine's devices with each other only; nothing of the test run is handed on."""
    monkeypatch.setenv("RUNYARD_DEVICES_DIR", str(tmp_path / "devices"))
    monkeypatch.delenv("PYTHONWARNINGS", raising=False)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A service of this test alone."""
    write_app(tmp_path)
    with listening(settings_of(tmp_path)) as client:
        yield client


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sweep of three jobs that has ended; the last of them failed."""
    folder = tmp_path_factory.mktemp("ran")
    write_app(folder)
    environment = {**os.environ, "RUNYARD_DEVICES_DIR": str(folder / "devices")}
    environment.pop("PYTHONWARNINGS", None)
    words = ["small.py", "-m", "+runyard=local", "x=1,2,3", "db.password=hunter2", "hydra.callbacks.runyard.tags=[red]"]
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1, done.stderr
    return folder


@pytest.fixture(scope="module")
def reader(ran: Path) -> Iterator[Client]:
    """A service over a sweep that has ended, for tests that only look."""
    with listening(settings_of(ran)) as client:
        yield client


@dataclass
class Served:
    """``runyard serve`` in a process of its own."""

    process: subprocess.Popen[str]
    address: str
    folder: Path

    def client(self) -> Client:
        return Client(httpx.Client(base_url=self.address, timeout=60), self.folder)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


def serve(folder: Path, *options: str) -> Served:
    """Starts it on a free port, with the token in a file; returns when it listens."""
    token = folder / "token"
    if not token.exists():
        token.write_text(TOKEN)
        token.chmod(0o600)
    environment = {**os.environ, "RUNYARD_DEVICES_DIR": str(folder / "devices")}
    environment.pop("PYTHONWARNINGS", None)
    words = ["serve", "--app", "small.py", "--port", "0", "--token-file", "token", *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "runyard", *words],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.match(r"http://\S+", line)
    assert found, f"it said {line!r}, exit code {process.poll()}"
    return Served(process, found[0], folder)
