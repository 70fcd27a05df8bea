from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from runyard.cli import main
from runyard.cli.entry import DUTIES

from .conftest import MakeSweep, Runyard

COMMANDS = {
    *("ls", "show", "status", "watch", "wait", "logs", "results"),
    *("resume", "retry", "cancel", "reproduce", "collect", "reindex", "doctor"),
    *("summary", "best", "pivot", "compare", "diff", "query", "report"),
    *("gate", "promote", "leaderboard", "tag", "note", "archive", "restore", "rm", "export", "import", "serve"),
}
READING = {
    "ls",
    "show",
    "status",
    "logs",
    "results",
    "doctor",
    "compare",
    "diff",
    "gate",
    "summary",
    "best",
    "pivot",
    "query",
}
#: they want to be told what is meant before they look for sweeps
NAMED = {"archive", "best", "compare", "diff", "export", "import", "note", "pivot", "promote", "restore", "rm", "tag"}
#: without any sweep they say that there is nothing, and all is well
LISTING = {"leaderboard", "ls", "query"}
HEAVY = {"pandas", "numpy", "matplotlib", "rich", "hydra", "omegaconf", "optuna", "submitit", "fastapi"}


def modules_of(*arguments: str, cwd: Path) -> set[str]:
    """The modules that a process of its own has loaded when the command ends."""
    code = (
        "import sys, atexit\n"
        "from runyard.cli import main\n"
        "atexit.register(lambda: print('\\n' + ' '.join(sys.modules)))\n"
        f"main({list(arguments)!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=cwd)
    return set(done.stdout.splitlines()[-1].split())


def loaded_by(*arguments: str, cwd: Path) -> set[str]:
    """The packages of those modules."""
    return {name.partition(".")[0] for name in modules_of(*arguments, cwd=cwd)}


def command(name: str) -> click.Command:
    found = main.get_command(click.Context(main), name)
    assert found is not None
    return found


def test_the_help_is_short_and_grouped_by_duty(runyard: Runyard) -> None:
    lines = runyard("--help").stdout.splitlines()
    assert len(lines) <= 60
    assert all(len(line) <= 80 for line in lines)
    heads = [line for line in lines if line and not line.startswith(" ")]
    assert heads == ["Usage: runyard [OPTIONS] COMMAND [ARGS]...", "Options:", *(f"{duty}:" for duty in DUTIES)]


def test_every_command_has_a_duty() -> None:
    assert sorted(main.list_commands(click.Context(main))) == sorted(COMMANDS)
    assert sorted(name for verbs in DUTIES.values() for name in verbs) == sorted(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_is_found_under_its_name(name: str) -> None:
    assert command(name).name == name


def test_a_name_of_no_command_is_none() -> None:
    assert main.get_command(click.Context(main), "control") is None


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_takes_a_root_and_those_that_read_give_json(name: str, runyard: Runyard) -> None:
    options = {o for p in command(name).params if isinstance(p, click.Option) for o in p.opts}
    assert "--root" in options
    assert ("--json" in options) or name not in READING
    assert runyard(name, "--help").exit_code == 0


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["ls", "--help"], ["ls"], ["reindex"], ["logs"]])
def test_nothing_heavy_is_loaded_for(arguments: list[str], make_sweep: MakeSweep, project: Path) -> None:
    make_sweep()
    assert loaded_by(*arguments, cwd=project) & HEAVY == set()


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_the_help_loads_no_command_and_no_room(argument: str, project: Path) -> None:
    ours = {name for name in modules_of(argument, cwd=project) if name.startswith("runyard")}
    assert ours == {"runyard", "runyard.cli", "runyard.cli.entry"}


def test_a_command_loads_no_other(project: Path, make_sweep: MakeSweep) -> None:
    make_sweep()
    modules = modules_of("ls", cwd=project)
    assert "runyard.cli.listing" in modules
    assert modules.isdisjoint({"runyard.cli.look", "runyard.cli.control", "importlib.metadata", "email", "subprocess"})


def test_status_loads_neither_tables_nor_figures(make_sweep: MakeSweep, project: Path) -> None:
    make_sweep()
    assert loaded_by("status", cwd=project) & {"pandas", "matplotlib", "rich"} == set()


def test_a_wrong_command_is_answered_with_the_closest(runyard: Runyard) -> None:
    result = runyard("statu")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("runyard: unknown command 'statu'\n  to do: did you mean 'status'? Known: archive,")


def test_a_usage_error_has_three_parts_and_no_traceback(make_sweep: MakeSweep, project: Path) -> None:
    make_sweep()
    command = [sys.executable, "-m", "runyard", "status", "nope"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    what, where, todo = done.stderr.splitlines()
    assert what == "runyard: no sweep 'nope'"
    assert where == "  where: below multirun, outputs"
    assert todo.startswith("  to do: the newest is 20260131T120000Z-abc1234; 'runyard ls'")


@pytest.mark.parametrize("command", sorted(COMMANDS - {"doctor", "import"}))  # import makes its root
def test_a_root_that_is_not_there_is_a_usage_error(command: str, runyard: Runyard) -> None:
    result = runyard(command, "--root", "nowhere")
    assert result.exit_code == 2
    assert "no directory nowhere" in result.stderr


@pytest.mark.parametrize("command", sorted(COMMANDS - {"doctor", "reindex", "serve", *LISTING, *NAMED}))
def test_without_any_sweep_the_way_to_begin_is_told(command: str, runyard: Runyard) -> None:
    result = runyard(command)
    assert result.exit_code == 2
    assert "+runyard=local" in result.stderr


def test_a_damaged_record_is_named_with_its_file(runyard: Runyard, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep()
    (sweep_dir / "sweep.json").write_text("{")
    result = runyard("status", sweep_dir)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"runyard: {sweep_dir}/sweep.json: not JSON")


def test_a_reader_that_leaves_early_is_no_error(make_sweep: MakeSweep, project: Path) -> None:
    for n in range(200):
        make_sweep(f"20260131T{n:06}Z-abc1234", states=())
    command = f"{sys.executable} -m runyard ls | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=project)
    assert (done.stdout.split()[0], done.stderr) == ("EXPERIMENT", "")


def test_notes_that_the_terminal_cannot_write_do_not_stop_the_list(make_sweep: MakeSweep, project: Path) -> None:
    make_sweep(note="größer 日本")
    command = [sys.executable, "-m", "runyard", "ls"]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, capture_output=True, encoding="latin-1", cwd=project, env=environment, check=True)
    assert "größer \\u65e5\\u672c" in done.stdout


def test_json_is_json_wherever_it_is_promised(runyard: Runyard, make_sweep: MakeSweep) -> None:
    make_sweep()
    for arguments in (["ls"], ["status"], ["show"], ["show", "latest/0"], ["logs"], ["logs", "0"], ["results"]):
        result = runyard(*arguments, "--json")
        assert result.exit_code == 0
        json.loads(result.stdout, parse_constant=not_json)


def not_json(name: str) -> None:
    pytest.fail(f"{name} is not JSON")
