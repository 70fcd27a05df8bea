"""report.html as a reader meets it: opened from disk in a browser, without a network."""

import json
import re

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from tests.analyze.factory import grid, write_a_sweep

from runyard.base import State
from runyard.record import ErrorInfo
from runyard.report import write_report

pytestmark = pytest.mark.timeout(900)  # the first of them may have to install the browser

MARKUP = "</script><script>window.harmed=1</script><img src=x onerror='window.harmed=1'><b>$x$"
SECRET = "hunter2hunter2"
JOBS = 30
#: what stands in a plot when it has drawn its marks, by the type of its traces.
MARKS = (
    ".points path, .barlayer path, .heatmaplayer image, .boxlayer path, .violinlayer path, .scatterlayer path.js-line"
)
#: how many points of a canvas have a colour.
PAINTED = """
    const copy = document.createElement('canvas');
    copy.width = arguments[0].width; copy.height = arguments[0].height;
    const paper = copy.getContext('2d');
    paper.drawImage(arguments[0], 0, 0);
    const bytes = paper.getImageData(0, 0, copy.width, copy.height).data;
    return bytes.filter((value, n) => n % 4 === 3 && value > 0).length;
"""


def outcome(point):
    if point["seed"] == 4 and point["opt"] == "sgd":
        return ErrorInfo(type="ValueError", message=f"no {MARKUP}", traceback=f"Traceback\n  {MARKUP}")
    if point["seed"] == 3 and point["depth"] == 12:
        return State.TIMEOUT
    return {"loss": 9.5 + point["depth"] * (1 + point["seed"] / 10), "odd": 100 - point["depth"], "name<b>": 1.5}


def curve(point):
    return {"curve": [{"step": i, "reward": i * point["depth"] / 7 + point["seed"]} for i in range(20)]}


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    points = list(grid(opt=["adam", "sgd"], depth=[2, 12, 111], seed=range(5)))
    note = f"a note {MARKUP}"
    folder = write_a_sweep(
        tmp_path_factory.mktemp("root") / f"exp{MARKUP[9:17]}" / "s1", points, outcome, rows=curve, note=note
    )
    for job in range(JOBS):
        (folder / str(job) / ".hydra").mkdir()
        text = f"model:\n  title: '{MARKUP}'\n  api_key: {SECRET}\n"
        (folder / str(job) / ".hydra" / "config.yaml").write_text(text)
        log = "".join(f"line {n}\n" for n in range(3000))
        (folder / str(job) / "output.log").write_text(f"{log}login with {SECRET}\nthe end {MARKUP}\n")
    made = write_report(folder)
    assert made.problems == ()
    return folder


@pytest.fixture
def page(browser, sweep):
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get((sweep / "report.html").as_uri())
    WebDriverWait(browser, 60).until(lambda driver: driver.find_element(By.CSS_SELECTOR, "body[data-drawn]"))
    return browser


def column(page, name):
    """The cells of the shown rows below a head."""
    return page.execute_script(
        """
        const heads = Array.from(document.querySelectorAll('#jobs thead th'));
        const at = heads.findIndex(head => head.dataset.name === arguments[0]);
        const rows = Array.from(document.querySelectorAll('#jobs tbody tr:not([hidden])'));
        return rows.map(row => row.cells[at].textContent);
        """,
        name,
    )


def head(page, name):
    return page.find_element(By.CSS_SELECTOR, f"#jobs th[data-name='{name}'] button")


def fill(page, text):
    field = page.find_element(By.ID, "filter")
    field.clear()
    field.send_keys(text)


def test_the_page_opens_without_an_error_and_asks_for_nothing(page, sweep):
    assert [entry for entry in page.get_log("browser") if entry["level"] != "INFO"] == []
    sent = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in sent if m["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert page.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)") == []


def test_no_address_of_the_network_stands_in_its_markup(sweep):
    text = (sweep / "report.html").read_text()
    markup = re.sub(r"<script[^>]*>.*?</script>", "", text, flags=re.S)
    assert re.findall(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", markup) == []
    assert "@import" not in markup
    assert "url(" not in markup


def check_marks(page):
    """The titles of the figures, each of which has drawn marks of some size."""
    titles = []
    for figure in page.find_elements(By.TAG_NAME, "figure"):
        title = figure.find_element(By.TAG_NAME, "h3").text
        canvases = figure.find_elements(By.CSS_SELECTOR, "canvas.gl-canvas-context")
        marks = figure.find_elements(By.CSS_SELECTOR, MARKS)
        sized = any(mark.rect["width"] > 1 or mark.rect["height"] > 1 for mark in marks)
        assert sized or any(page.execute_script(PAINTED, canvas) > 100 for canvas in canvases), title
        titles.append(title)
    return titles


def test_every_figure_has_drawn_its_marks(page):
    assert [title.rpartition(": ")[2] for title in check_marks(page)] == [
        "loss over depth, by opt",
        "loss of each job, by cell",
        "loss over depth and opt",
        "Importance of each axis for loss",
        "reward over step, by opt and depth (table curve)",
    ]


SHAPES = {
    "nothing but seeds": (list(grid(seed=range(5))), 1),
    "boxes": (list(grid(a=["x", "y"], seed=range(12))), 2),
    "violins": (list(grid(a=["x", "y"], seed=range(40))), 2),
    "a heat map": (list(grid(a=[1, 2, 3], b=[0.1, 0.2, 0.3], seed=[1, 2])), 4),
    "three axes": (list(grid(a=[1, 2, 3], b=[0.1, 0.2, 0.3], c=["x", "y"])), 7),
    "sampled": ([{"a": 10.0**-i, "b": i**2 / 7, "c": "xy"[i % 2]} for i in range(30)], 2),
    "zipped": ([{"a": i, "b": "xyz"[i % 3], "c": i * 2} for i in range(5)], 2),
    "one run": ([{}], 1),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_figures_of_every_shape_of_sweep_are_drawn(browser, tmp_path, shape):
    points, figures = SHAPES[shape]

    def task(point):
        return {"loss": sum(float(v) if not isinstance(v, str) else len(v) + ord(v) / 9 for v in point.values())}

    folder = write_a_sweep(tmp_path / "exp" / "s", points, task)
    write_report(folder, figures=False)
    browser.get_log("browser")
    browser.get((folder / "report.html").as_uri())
    WebDriverWait(browser, 60).until(lambda driver: driver.find_element(By.CSS_SELECTOR, "body[data-drawn]"))
    assert len(check_marks(browser)) == figures
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_a_click_on_a_head_sorts_numbers_by_size_and_another_turns_the_order(page):
    values = [float(text) for text in column(page, "loss") if text]
    assert values != sorted(values)
    head(page, "loss").click()
    cells = column(page, "loss")
    rising = [float(text) for text in cells if text]
    assert rising == sorted(values)
    assert rising != sorted(rising, key=str)
    assert cells[len(rising) :] == [""] * (JOBS - len(rising))
    head(page, "loss").click()
    cells = column(page, "loss")
    assert [float(text) for text in cells[: len(rising)]] == rising[::-1]
    assert cells[len(rising) :] == [""] * (JOBS - len(rising))


def test_text_is_sorted_as_text_and_equal_rows_keep_their_order(page):
    head(page, "opt").click()
    assert column(page, "opt") == sorted(column(page, "opt"))
    jobs = [int(job) for job in column(page, "job")]
    assert jobs == sorted(jobs)


def test_the_filter_takes_words_and_conditions_together(page):
    fill(page, "adam, loss > 20")
    assert set(column(page, "opt")) == {"adam"}
    assert all(float(text) > 20 for text in column(page, "loss"))
    kept = len(column(page, "job"))
    assert 0 < kept < JOBS
    assert page.find_element(By.ID, "shown").text == f"{kept} of {JOBS} rows"
    fill(page, "state = timeout")
    assert set(column(page, "state")) == {"TIMEOUT"}
    fill(page, " ")
    assert len(column(page, "job")) == JOBS


def test_a_filter_on_a_column_that_is_not_there_says_so(page):
    fill(page, "lossy > 3")
    assert page.find_element(By.ID, "shown").text == "no column lossy"


def test_a_job_unfolds_its_config_and_the_end_of_its_log_and_folds_again(page):
    row = page.find_element(By.CSS_SELECTOR, "#jobs tbody tr[data-job='3']")
    row.find_elements(By.TAG_NAME, "td")[1].click()
    detail = page.find_element(By.CSS_SELECTOR, "tr.job-detail")
    texts = {
        box.find_element(By.TAG_NAME, "summary").text: box.find_element(By.TAG_NAME, "pre").text
        for box in detail.find_elements(By.TAG_NAME, "details")
    }
    (log,) = (text for name, text in texts.items() if name.startswith("Log, its end"))
    assert f"title: '{MARKUP}'" in texts["Config"]
    assert "line 2999" in log
    assert "line 0\n" not in log
    assert f"the end {MARKUP}" in log
    row.find_elements(By.TAG_NAME, "td")[1].click()
    assert page.find_elements(By.CSS_SELECTOR, "tr.job-detail") == []


def test_a_cause_unfolds_the_error_of_its_first_job(page):
    cause = page.find_element(By.CSS_SELECTOR, "details.cause")
    cause.find_element(By.TAG_NAME, "summary").click()
    WebDriverWait(page, 10).until(lambda _: cause.find_elements(By.CSS_SELECTOR, "pre:not(.later)"))
    assert MARKUP in cause.text


def test_markup_in_values_is_shown_as_text_and_never_run(page):
    assert MARKUP in page.find_element(By.CSS_SELECTOR, "blockquote").text
    for row in page.find_elements(By.CSS_SELECTOR, "#jobs tbody tr")[:3]:
        row.find_elements(By.TAG_NAME, "td")[1].click()
    assert page.execute_script("return window.harmed") is None
    assert page.find_elements(By.CSS_SELECTOR, "main img") == []
    assert head(page, "name<b>").text.startswith("name<b>")


def test_secrets_of_a_config_are_nowhere_in_the_page_nor_where_the_log_repeats_them(page, sweep):
    assert SECRET not in (sweep / "report.html").read_text()
    page.find_element(By.CSS_SELECTOR, "#jobs tbody tr[data-job='0'] td").click()
    detail = page.find_element(By.CSS_SELECTOR, "tr.job-detail").text
    assert "api_key: ***" in detail
    assert "login with ***" in detail


def test_a_reader_who_prefers_dark_pages_gets_one_with_figures_in_its_colours(page):
    def colours():
        return page.execute_script(
            "const plot = document.querySelector('.plot');"
            "return [getComputedStyle(document.body).backgroundColor, plot._fullLayout.font.color]"
        )

    light = colours()
    scheme = {"name": "prefers-color-scheme", "value": "dark"}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    try:
        WebDriverWait(page, 10).until(lambda _: colours()[1] != light[1])
        assert colours()[0] != light[0]
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_page_is_not_wider_than_a_laptops_screen(page):
    assert page.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")


def test_a_sweep_without_metrics_makes_a_page_without_figures_that_works(browser, tmp_path):
    folder = write_a_sweep(
        tmp_path / "exp" / "bare", list(grid(a=[1, 2])), lambda p: {} if p["a"] == 1 else State.PENDING
    )
    write_report(folder)
    browser.get_log("browser")
    browser.get((folder / "report.html").as_uri())
    WebDriverWait(browser, 60).until(lambda driver: driver.find_element(By.CSS_SELECTOR, "body[data-drawn='0']"))
    head(browser, "state").click()
    assert column(browser, "state") == ["COMPLETED", "PENDING"]
    assert [entry for entry in browser.get_log("browser") if entry["level"] != "INFO"] == []
    assert (folder / "report.html").stat().st_size < 100_000
