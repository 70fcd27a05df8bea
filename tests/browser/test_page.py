"""The pages in a browser: `runyard serve` over a small application, some of whose jobs fail."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from tests.conftest import wait_for
from tests.serve.conftest import TOKEN, Served, serve

from runyard.registry import Registry, list_sweeps

EVIL = "<script>document.title='taken'</script>"
APP = f"""
import os
import signal
import time
from pathlib import Path

import hydra
from hydra.core.config_store import ConfigStore

@hydra.main(version_base="1.3", config_path=None, config_name="conf")
def main(cfg):
    print({EVIL!r}, flush=True)
    while cfg.x == 4 and cfg.wait_for and not Path(cfg.wait_for).exists():
        time.sleep(0.05)
    if cfg.x == 2:
        raise ValueError({EVIL!r})
    if cfg.x == 3:
        os.kill(os.getpid(), signal.SIGSEGV)
    return {{"value": float(cfg.x)}}

if __name__ == "__main__":
    ConfigStore.instance().store(name="conf", node={{"x": 1, "wait_for": ""}})
    main()
"""
#: what a page may take on a machine that is busy, in milliseconds.
_LIMIT_MS = 30_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The service, over one sweep that has ended."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "small.py").write_text(APP)
    words = [sys.executable, "small.py", "-m", "+runyard=local", "x=1,2,3,4", "hydra.sweep.dir=multirun/evil/one"]
    subprocess.run(words, cwd=folder, capture_output=True, timeout=120, check=False)
    found = serve(folder)
    try:
        yield found
    finally:
        found.kill()


@pytest.fixture
def page(chromium: Browser, served: Served) -> Iterator[Page]:
    """A page that has logged in with the address that the server prints."""
    with chromium.new_context(base_url=served.address) as context:
        context.set_default_timeout(_LIMIT_MS)
        found = context.new_page()
        found.goto(f"/login?token={TOKEN}")
        assert TOKEN not in found.url
        yield found


def ended_sweep(served: Served) -> str:
    """The address of the sweep that the fixture ran."""
    root = served.folder / "multirun"
    (found,) = [row["sweep_id"] for row in list_sweeps(root) if row["path"] == str(root / "evil" / "one")]
    return f"/sweeps/{found}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1400])
def test_every_page_is_accessible_and_fits_the_window(
    chromium: Browser, served: Served, scheme: str, width: int
) -> None:
    with chromium.new_context(
        base_url=served.address,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
    ) as context:
        context.set_default_timeout(_LIMIT_MS)
        page = context.new_page()
        errors: list[str] = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto("/login")
        _is_fine(page)
        page.goto(f"/login?token={TOKEN}")
        sweep = ended_sweep(served)
        name = sweep.rsplit("/", 1)[1]
        for path in ("/", "/start", sweep, f"{sweep}/jobs/1", f"/compare?sweep={name}&sweep={name}"):
            page.goto(path)
            _is_fine(page)
        assert errors == []


def _is_fine(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def test_a_sweep_is_started_seen_to_its_end_and_its_failure_and_figure_are_opened(page: Page) -> None:
    page.get_by_role("link", name="Start").click()
    page.get_by_label("Overrides").fill("x=1,2,5\n")
    page.get_by_label("Tag").fill("from the page")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/sweeps/*")
    expect(page.locator(".status .pill")).to_have_text("failed", timeout=_LIMIT_MS)
    expect(page.locator("main")).to_contain_text("2 completed")
    expect(page.locator(".tag")).to_have_text("from the page")
    picture = page.get_by_role("img", name="Figure summary.png")
    picture.scroll_into_view_if_needed()
    page.wait_for_function("[...document.querySelectorAll('figure img')].every(one => one.naturalWidth > 0)")
    page.get_by_role("link", name="job 1", exact=True).click()
    expect(page.get_by_role("heading", name="Job 1")).to_be_visible()
    expect(page.locator("#log")).to_contain_text("ValueError")
    expect(page.locator("#log")).to_contain_text(EVIL)  # as text
    assert page.title().startswith("Job 1 of ")


def test_a_sweep_is_cancelled_and_resumed_from_its_page(page: Page, served: Served) -> None:
    page.goto("/start")
    page.get_by_label("Overrides").fill("x=1,4,5\nwait_for=go\n")
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Resume").wait_for()
    expect(page.locator(".status .pill")).to_have_text("cancelled")
    (served.folder / "go").touch()
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".status .pill")).to_have_text("completed", timeout=_LIMIT_MS)


def test_what_is_wrong_with_a_start_is_told_beside_the_form_which_keeps_its_text(page: Page) -> None:
    page.goto("/start")
    for text, told in (("hydra.run.dir=/etc", "changes settings of Hydra"), ("nope=1", "nope"), ("x=", "")):
        page.get_by_label("Overrides").fill(text)
        page.get_by_label("Seeds").fill("many" if text == "x=" else "")
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_role("alert")).to_contain_text(told or "no seeds")
        expect(page.get_by_label("Overrides")).to_have_value(text)


def test_a_wrong_token_is_told_and_the_right_one_lets_in(chromium: Browser, served: Served) -> None:
    with chromium.new_context(base_url=served.address) as context:
        page = context.new_page()
        page.goto("/")
        assert page.url.endswith("/login")
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_contain_text("not the server's token")
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("heading", name="Sweeps").wait_for()
        page.get_by_role("button", name="Log out").click()
        page.get_by_role("heading", name="Log in").wait_for()
        page.goto("/")
        assert page.url.endswith("/login")


def test_markup_in_what_jobs_say_is_text(page: Page, served: Served) -> None:
    page.goto(ended_sweep(served))
    page.get_by_role("heading", name="Failures by cause").wait_for()
    assert "<script>" in page.locator("main").inner_text()
    assert "failed: Killed: killed by SIGSEGV" in page.locator("main").inner_text()
    assert "taken" not in page.title()


def test_slash_goes_to_the_filter_and_the_filter_finds(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("no such sweep")
    page.keyboard.press("Enter")
    page.get_by_text("0 sweeps").wait_for()
    page.locator("#filter").fill("small failed")
    page.keyboard.press("Enter")
    page.locator("tbody tr").first.wait_for()


def test_jobs_are_sorted_and_chosen_by_state(page: Page, served: Served) -> None:
    page.goto(ended_sweep(served))
    numbers = page.locator("tbody th a")
    assert numbers.all_inner_texts() == ["0", "1", "2", "3"]
    page.get_by_role("link", name="value").click()
    page.get_by_role("link", name="value").click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text("value")
    expect(numbers.first).to_have_text("3")  # the largest value; those without any come last
    page.get_by_role("link", name="failed", exact=True).click()
    expect(numbers).to_have_count(2)


def test_one_chosen_sweep_is_told_to_be_too_few(page: Page) -> None:
    page.goto("/")
    page.locator("tbody input").first.check()
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("heading", name="This cannot be done").wait_for()
    assert "nothing to compare with" in page.locator("main").inner_text()


def test_a_chosen_sweep_and_the_row_of_the_keys_outlive_a_refresh(page: Page) -> None:
    page.goto("/")
    page.locator("tbody input").first.check()
    with page.expect_response(lambda answer: "?q=" in answer.url):
        page.locator("h1").click()
    page.wait_for_timeout(300)
    assert page.locator("tbody input").first.is_checked()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Jobs").wait_for()


def test_the_report_is_shown_in_a_sandbox(page: Page, served: Served) -> None:
    page.goto(ended_sweep(served))
    with page.expect_navigation() as found:
        page.get_by_role("link", name="Report").click()
    answer = found.value
    assert answer is not None
    assert answer.headers["content-security-policy"].startswith("sandbox allow-scripts")
    assert page.evaluate("window.origin") == "null"


def get(served: Served, path: str) -> tuple[int, str]:
    """Status and text of an answer, whatever the status."""
    request = urllib.request.Request(f"{served.address}{path}", headers={"Authorization": f"Bearer {TOKEN}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_sweep_outside_of_the_root_is_not_shown_though_the_registry_knows_it(served: Served, tmp_path: Path) -> None:
    (tmp_path / "small.py").write_text(APP)
    words = [sys.executable, "small.py", "-m", "+runyard=local", "x=1,5", f"hydra.sweep.dir={tmp_path}/far"]
    subprocess.run(words, cwd=tmp_path, capture_output=True, timeout=120, check=True)
    root = served.folder / "multirun"
    Registry(root).put(tmp_path / "far")
    known = [row for row in list_sweeps(root) if row["path"] == str(tmp_path / "far")]
    assert len(known) == 1
    assert known[0]["sweep_id"] not in get(served, "/")[1]
    status, text = get(served, f"/sweeps/{known[0]['sweep_id']}")
    assert (status, "Not found" in text) == (404, True)


@pytest.mark.parametrize(
    ("name", "statuses"),
    [("sweep.json", (404, 500)), ("plan.csv", (200,)), ("1/run.json", (200,)), ("journal.jsonl", (200,))],
)
def test_pages_over_a_damaged_file_show_what_is_left(served: Served, name: str, statuses: tuple[int, ...]) -> None:
    address = ended_sweep(served)
    wait_for(lambda: get(served, address)[0] == 200)  # what was seen of an earlier damage is forgotten
    damaged = served.folder / "multirun" / "evil" / "one" / name
    kept = damaged.read_bytes()
    damaged.write_bytes(b"\xff\x00nonsense")
    try:
        answers = [get(served, path) for path in ("/", address, f"{address}/jobs/1")]
    finally:
        damaged.write_bytes(kept)
    assert answers[0][0] == 200
    assert {found for found, _ in answers[1:]} <= {*statuses, 200}, answers
    assert not [text for _, text in answers if "Traceback (most" in text and "ValueError" not in text]
