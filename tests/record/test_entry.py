from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runyard.record import Entry, current_entry
from runyard.record.entry import parse_entry


@pytest.mark.parametrize(
    ("orig_argv", "argv", "kind", "target", "flags", "args"),
    [
        ("py a.py", "a.py", "script", "/w/a.py", "", ""),
        ("py a.py x=1 -m", "a.py x=1 -m", "script", "/w/a.py", "", "x=1 -m"),
        ("py /abs/a.py x", "/abs/a.py x", "script", "/abs/a.py", "", "x"),
        ("py -u -X dev a.py x", "a.py x", "script", "/w/a.py", "-u -X dev", "x"),
        ("py -m app x=1", "/src/app/__main__.py x=1", "module", "app", "", "x=1"),
        ("py -m app", "/src/app/__main__.py", "module", "app", "", ""),
        ("py -W error -m app.sub -m a=1,2", "/p.py -m a=1,2", "module", "app.sub", "-W error", "-m a=1,2"),
        ("py /env/bin/tool x=1", "/env/bin/tool x=1", "script", "/env/bin/tool", "", "x=1"),
        ("py -c code x", "-c x", None, "", "", ""),
        ("py -", "-", None, "", "", ""),
        ("py", "", None, "", "", ""),
        ("py a.py x=1", "a.py y=2", None, "", "", ""),
        ("py -um app x=1", "/p.py x=1", "module", "app", "-u", "x=1"),
        ("py -Bumapp x=1", "/p.py x=1", "module", "app", "-Bu", "x=1"),
        ("py -mapp -m", "/p.py -m", "module", "app", "", "-m"),
        ("py -I -um app.sub", "/p.py", "module", "app.sub", "-I -u", ""),
        ("py -Xdev -Wignore a.py x", "a.py x", "script", "/w/a.py", "-Xdev -Wignore", "x"),
        ("py -X importtime -uW error -m app", "/p.py", "module", "app", "-X importtime -uW error", ""),
        ("py -X -m a.py", "a.py", "script", "/w/a.py", "-X -m", ""),
        ("py --check-hash-based-pycs never a.py", "a.py", "script", "/w/a.py", "--check-hash-based-pycs never", ""),
        ("py -u -- a.py -m", "a.py -m", "script", "/w/a.py", "-u", "-m"),
        ("py a.py -c x", "a.py -c x", "script", "/w/a.py", "", "-c x"),
        ("py a.py x=1 x=1", "a.py x=1 x=1", "script", "/w/a.py", "", "x=1 x=1"),
        ("py -uc code x", "-c x", None, "", "", ""),
        ("py -u -", "-", None, "", "", ""),
        ("py -u", "", None, "", "", ""),
        ("py -m debugpy --listen 5678 a.py x=1", "a.py x=1", None, "", "", ""),
        ("py -m debugpy --listen 5678 -m app x=1", "/p.py x=1", None, "", "", ""),
        ("py /d/debugpy --connect h:1 --configure-subProcess True a.py", "a.py", None, "", "", ""),
        ("py -m pdb a.py x=1", "a.py x=1", None, "", "", ""),
        ("py -m pdb a.py", "a.py", None, "", "", ""),
        ("py -m cProfile -o out a.py x=1", "a.py x=1", None, "", "", ""),
        ("py /env/bin/coverage run a.py x=1", "a.py x=1", None, "", "", ""),
        ("py /env/bin/coverage run -m app", "/p.py", None, "", "", ""),
    ],
)
def test_the_entry_behind(orig_argv: str, argv: str, kind: str | None, target: str, flags: str, args: str) -> None:
    entry = parse_entry(orig_argv.split(), argv.split(" "), "/env/bin/python", "/w")
    if kind is None:
        assert entry is None
        return
    assert entry == Entry(
        python="/env/bin/python",
        flags=tuple(flags.split()),
        kind=kind,
        target=target,
        args=tuple(args.split()),
        cwd="/w",
    )
    assert Entry.from_json(json.loads(json.dumps(entry.to_json()))) == Entry(
        python=entry.python, flags=entry.flags, kind=kind, target=target, args=(), cwd="/w"
    )


def test_the_arguments_are_not_written_down_for_they_may_hold_secrets() -> None:
    entry = parse_entry(["py", "a.py", "token=SECRET"], ["a.py", "token=SECRET"], "py", "/w")
    assert entry is not None
    assert "SECRET" not in json.dumps(entry.to_json())


_SHOW = "import os; from runyard.record import current_entry; print(current_entry(os.getcwd()))"


@pytest.mark.parametrize(
    ("args", "shown"),
    [
        (["show.py", "a=1"], "kind='script', target='{cwd}/show.py', args=('a=1',)"),
        (["./show.py"], "kind='script', target='{cwd}/show.py', args=()"),
        (["-B", "show.py"], "flags=('-B',), kind='script'"),
        (["-m", "show", "-m", "x"], "kind='module', target='show', args=('-m', 'x')"),
        (["-um", "show", "x"], "flags=('-u',), kind='module', target='show', args=('x',)"),
        (["-Bumshow"], "flags=('-Bu',), kind='module', target='show', args=()"),
        (["-uXdev", "-W", "ignore", "--", "show.py"], "flags=('-uXdev', '-W', 'ignore'), kind='script'"),
        (["-m", "cProfile", "show.py", "x"], "None"),
        (["-m", "trace", "--count", "--missing", "-C", "counts", "show.py", "x"], "None"),
        (["-c", _SHOW], "None"),
    ],
)
def test_a_process_knows_how_it_was_started(tmp_path: Path, args: list[str], shown: str) -> None:
    (tmp_path / "show.py").write_text(_SHOW)
    done = subprocess.run([sys.executable, *args], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert shown.format(cwd=tmp_path) in done.stdout


def test_a_test_run_is_no_application() -> None:
    assert current_entry("/w") is None
