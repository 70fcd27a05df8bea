import sys

import pytest
from tests.analyze.factory import grid, write_a_sweep

from runyard.base import RecordError, State
from runyard.report import finish_files

pytest.importorskip("matplotlib")
pytest.importorskip("pyarrow")

POINTS = list(grid(lr=[0.1, 0.2, 0.3], seed=range(3)))


def sweep(tmp_path, task=lambda p: {"loss": p["lr"] + p["seed"], "acc": p["lr"]}):
    return write_a_sweep(tmp_path / "s", POINTS, task, rows=lambda p: {"trials": [{"i": 1}]})


def test_all_files_are_made(tmp_path):
    folder = sweep(tmp_path)
    assert finish_files(folder) == []
    made = {path.name for path in folder.iterdir()} - {str(n) for n in range(9)}
    assert made == {
        *[
            "sweep.json",
            "plan.csv",
            "results.csv",
            "results.parquet",
            "summary.csv",
            "summary.png",
            "notes.md",
            "report.html",
            "tables",
        ]
    }
    assert (folder / "tables" / "trials.csv").exists()


def test_a_figure_that_fails_does_not_keep_the_notes_from_being_made_and_they_tell_it(tmp_path):
    folder = sweep(tmp_path)
    (folder / "summary.png").mkdir()
    (message,) = finish_files(folder)
    assert message.startswith("summary.png was not made: IsADirectoryError")
    assert message.split(":")[0] in (folder / "notes.md").read_text()


def test_results_that_fail_do_not_keep_the_figure_from_being_made(tmp_path):
    folder = sweep(tmp_path)
    (folder / "results.csv").mkdir()
    (message,) = finish_files(folder)
    assert "results.csv" in message
    assert (folder / "summary.png").stat().st_size > 1000


def test_without_the_extras_the_rest_is_made_and_the_notes_say_what_to_install(tmp_path, monkeypatch):
    for name in ("matplotlib", "pyarrow"):
        monkeypatch.setitem(sys.modules, name, None)
    folder = sweep(tmp_path)
    assert len(finish_files(folder)) == 2
    text = (folder / "notes.md").read_text()
    assert "runyard[figures]" in text
    assert "runyard[parquet]" in text


def test_the_metric_can_be_named(tmp_path):
    folder = sweep(tmp_path)
    assert finish_files(folder, "acc") == []
    assert "`acc` was highest" in (folder / "notes.md").read_text()


def test_without_plotly_or_jinja2_the_rest_is_made_and_one_line_says_what_to_install(tmp_path, monkeypatch):
    for name in ("plotly", "jinja2"):
        monkeypatch.setitem(sys.modules, name, None)
        folder = sweep(tmp_path / name)
        (message,) = finish_files(folder)
        assert message == f"report.html was not made: the page needs {name}, which is not installed; " + (
            "pip install 'runyard[report]'"
        )
        assert not (folder / "report.html").exists()
        assert "runyard[report]" in (folder / "notes.md").read_text()
        monkeypatch.undo()


def test_the_page_can_be_left_out(tmp_path):
    folder = sweep(tmp_path)
    assert finish_files(folder, page=False) == []
    assert not (folder / "report.html").exists()
    assert (folder / "notes.md").exists()


def test_a_metric_that_no_job_reported_is_told_and_another_shown(tmp_path):
    folder = sweep(tmp_path)
    (message,) = finish_files(folder, "los")
    assert "unknown metric 'los'" in message
    assert "did you mean 'loss'" in message
    assert "`loss` was highest" in (folder / "notes.md").read_text()
    assert (folder / "summary.png").exists()


def test_a_sweep_in_which_nothing_completed_ends_with_all_files_but_the_figure(tmp_path):
    folder = sweep(tmp_path, lambda p: State.FAILED)
    (message,) = finish_files(folder)
    assert "summary.png was not made" in message
    assert (folder / "results.csv").exists()
    assert "9 are FAILED" in (folder / "notes.md").read_text()


def test_a_directory_that_is_no_sweep_is_an_error(tmp_path):
    with pytest.raises(RecordError):
        finish_files(tmp_path)
