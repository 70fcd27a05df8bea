"""The pages in a browser: a live server process over a sweep that ran, one of whose jobs failed."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from runyard.registry import Registry, list_sweeps

EVIL = "<script>document.title='taken'</script>"
APP = f"""
import os
import signal

import hydra
from omegaconf import OmegaConf

@hydra.main(version_base="1.3", config_path=None, config_name="conf")
def main(cfg):
    print({EVIL!r})
    if cfg.x == 2:
        raise ValueError({EVIL!r})
    if cfg.x == 3:
        os.kill(os.getpid(), signal.SIGSEGV)
    return float(cfg.x)

from hydra.core.config_store import ConfigStore
ConfigStore.instance().store(
    name="conf",
    node=OmegaConf.create({{"x": 1, "defaults": [{{"override hydra/launcher": "runyard_local"}}, "_self_"]}}),
)
main()
"""
SERVER = """
import sys
from pathlib import Path
import uvicorn
from fastapi import FastAPI
from runyard.serve.pages import make_router

application = FastAPI()
application.include_router(make_router(Path(sys.argv[1])))
uvicorn.run(application, host="127.0.0.1", port=int(sys.argv[2]), log_level="error")
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "evil.py").write_text(APP)
    words = [sys.executable, "evil.py", "-m", "x=1,2,3,4", "hydra.sweep.dir=multirun/evil/one"]
    subprocess.run(words, cwd=folder, capture_output=True, timeout=120, check=False)
    return folder / "multirun"


@pytest.fixture(scope="module")
def address(root: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(root), str(port)])
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except urllib.error.URLError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1400])
def test_every_page_is_accessible_and_fits_the_window(chromium: Browser, address: str, scheme: str, width: int) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(address)
    sweep = page.locator("tbody a").first.get_attribute("href")
    assert sweep is not None
    name = sweep.rsplit("/", 1)[1]
    for path in ("/", sweep, f"{sweep}/jobs/1", f"/compare?sweep={name}&sweep={name}"):
        page.goto(f"{address}{path}")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    assert errors == []
    page.close()


def test_a_failed_jobs_log_and_a_figure_are_opened_and_markup_is_text(chromium: Browser, address: str) -> None:
    page = chromium.new_page()
    page.goto(address)
    page.locator("tbody a").first.click()
    page.get_by_role("heading", name="Failures by cause").wait_for()
    assert "<script>" in page.locator("main").inner_text()
    assert "failed: Killed: killed by SIGSEGV" in page.locator("main").inner_text()
    picture = page.locator("figure img").first
    picture.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('figure img').naturalWidth > 0")
    page.get_by_role("link", name="job 1").click()
    page.get_by_role("heading", name="Job 1").wait_for()
    assert EVIL in page.locator("#log").inner_text()
    assert page.title().startswith("Job 1 of ")
    page.close()


def test_slash_goes_to_the_filter_and_the_filter_finds(chromium: Browser, address: str) -> None:
    page = chromium.new_page()
    page.goto(address)
    page.keyboard.press("/")
    page.keyboard.type("no such sweep")
    page.keyboard.press("Enter")
    page.get_by_text("0 sweeps").wait_for()
    page.locator("#filter").fill("evil")
    page.keyboard.press("Enter")
    page.get_by_text("1 sweeps").wait_for()
    page.close()


def test_one_chosen_sweep_is_told_to_be_too_few(chromium: Browser, address: str) -> None:
    page = chromium.new_page()
    page.goto(address)
    page.locator("tbody input").first.check()
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("heading", name="These cannot be compared").wait_for()
    assert "nothing to compare with" in page.locator("main").inner_text()
    page.close()


def test_a_chosen_sweep_and_the_row_of_the_keys_outlive_a_refresh(chromium: Browser, address: str) -> None:
    page = chromium.new_page()
    page.goto(address)
    page.locator("tbody input").first.check()
    with page.expect_response(lambda answer: "?q=" in answer.url):
        page.locator("h1").click()
    page.wait_for_timeout(300)
    assert page.locator("tbody input").first.is_checked()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Jobs").wait_for()
    page.close()


def get(url: str) -> tuple[int, str]:
    """Status and text of an answer, whatever the status."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_sweep_outside_of_the_root_is_not_shown_though_the_registry_knows_it(
    address: str, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "evil.py").write_text(APP)
    words = [sys.executable, "evil.py", "-m", "x=1", f"hydra.sweep.dir={tmp_path}/far"]
    subprocess.run(words, cwd=tmp_path, capture_output=True, timeout=120, check=True)
    Registry(root).put(tmp_path / "far")
    known = [row for row in list_sweeps(root) if row["path"] == str(tmp_path / "far")]
    assert len(known) == 1
    assert known[0]["sweep_id"] not in get(address)[1]
    status, text = get(f"{address}/sweeps/{known[0]['sweep_id']}")
    assert (status, "Not found" in text) == (404, True)


@pytest.mark.parametrize(
    ("name", "status"), [("sweep.json", 404), ("plan.csv", 200), ("1/run.json", 200), ("journal.jsonl", 200)]
)
def test_pages_over_a_damaged_file_show_what_is_left(address: str, root: Path, name: str, status: int) -> None:
    (sweep,) = [row["sweep_id"] for row in list_sweeps(root) if row["path"] == str(root / "evil" / "one")]
    damaged = root / "evil" / "one" / name
    kept = damaged.read_bytes()
    damaged.write_bytes(b"\xff\x00nonsense")
    try:
        answers = [get(f"{address}{path}") for path in ("/", f"/sweeps/{sweep}", f"/sweeps/{sweep}/jobs/1")]
    finally:
        damaged.write_bytes(kept)
    assert [found for found, _ in answers] == [200, status, status]
    assert (sweep in answers[0][1]) == (status == 200)
