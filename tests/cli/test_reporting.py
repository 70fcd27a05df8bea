import json

from click.testing import CliRunner
from tests.analyze.factory import grid, write_a_sweep

from runyard.cli.reporting import report


def sweep(tmp_path):
    return write_a_sweep(tmp_path / "exp" / "s1", list(grid(a=[1, 2])), lambda p: {"loss": p["a"]})


def test_report_prints_the_files_that_it_made(tmp_path):
    folder = sweep(tmp_path)
    result = CliRunner().invoke(report, [str(folder), "--no-figures"])
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [str(folder / "report.html"), str(folder / "report.md")]


def test_report_prints_json(tmp_path):
    folder = sweep(tmp_path)
    result = CliRunner().invoke(report, [str(folder), "--no-html", "--no-figures", "--json"])
    assert json.loads(result.stdout) == {"files": [str(folder / "report.md")], "problems": []}


def test_open_opens_the_page_in_the_browser_that_the_user_names(tmp_path, monkeypatch):
    folder = sweep(tmp_path)
    opened = tmp_path / "opened"
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}\n')
    program.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(program))
    monkeypatch.setattr("webbrowser._tryorder", None)
    result = CliRunner().invoke(report, [str(folder), "--no-figures", "--no-md", "--open"])
    assert result.exit_code == 0, result.output
    assert opened.read_text() == (folder / "report.html").as_uri()


def test_open_without_the_page_is_refused(tmp_path):
    result = CliRunner().invoke(report, [str(sweep(tmp_path)), "--open", "--no-html"])
    assert "--open needs the page" in str(result.exception)
