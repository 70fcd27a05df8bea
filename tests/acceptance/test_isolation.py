"""Jobs forked, in fresh interpreters, and in the controller's own process: what each of them finds, and how it ends."""

import csv
import os
import signal
import subprocess
import sys

import pytest
from tests.conftest import APPS, processes_of, read_json, wait_for

ISOLATIONS = ("fork", "spawn", "inline")


def run(shell, *args, app="isolated_app", check=0, **options):
    done = shell.app(app, "-m", "+runyard=local", *args, check=check, **options)
    return done, shell.sweeps(app)[-1]


def seen_by(sweep, jobs):
    return [read_json(sweep / str(job) / "seen.json") for job in range(jobs)]


def states_of(sweep):
    return [read_json(path)["state"] for path in sorted(sweep.glob("*/run.json"))]


def rows_of(sweep):
    with (sweep / "results.csv").open() as file:
        return list(csv.DictReader(file))


# -- heavy imports ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("isolation", ["fork", "spawn"])
def test_an_application_of_heavy_imports_runs_right_in_every_job(shell, isolation):
    marks = shell.cwd / "marks"
    done, sweep = run(
        shell, "+n=5,20,60,90", f"hydra.launcher.isolation={isolation}", app="heavy_app", APP_MARKS=str(marks)
    )
    assert "fork" not in done.stderr
    rows = rows_of(sweep)
    for row, n in zip(rows, (5, 20, 60, 90), strict=True):
        assert float(row["root"]) == pytest.approx(n**0.5)
        assert int(row["sum"]) == n * (n - 1) // 2
        assert 0 < float(row["trace"]) < n
        assert (row["calls"], row["figures"]) == ("1", "1")  # what a job leaves in a module, no other job finds
        assert (sweep / row["job"] / "diagonal.png").read_bytes().startswith(b"\x89PNG")
    imports = len(list(marks.iterdir()))
    assert (imports, {row["imports_here"] for row in rows}) == ((1, {"0"}) if isolation == "fork" else (5, {"1"}))


# -- what a job finds -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=ISOLATIONS)
def told(request, tmp_path_factory):
    """Three jobs, each of which leaves its marks in its process, in one of the ways."""
    from tests.conftest import Shell

    shell = Shell(tmp_path_factory.mktemp("told"))
    done, sweep = run(
        shell, "i=1,2,3", "do=leave", f"hydra.launcher.isolation={request.param}", "hydra.launcher.n_jobs=1"
    )
    return request.param, shell, done, sweep, seen_by(sweep, 3)


def test_results_are_the_same(told):
    _, _, _, sweep, _ = told
    assert [row["square"] for row in rows_of(sweep)] == ["1", "4", "9"]
    assert states_of(sweep) == ["COMPLETED"] * 3


def test_the_state_of_modules_is_fresh_but_inline(told):
    isolation, _, _, _, seen = told
    shared = isolation == "inline"
    assert [len(s["calls"]) for s in seen] == ([1, 2, 3] if shared else [1, 1, 1])
    assert len({s["pid"] for s in seen}) == (1 if shared else 3)


def test_callbacks_have_the_state_that_they_had_in_the_controller(told):
    _, _, _, _, seen = told
    assert all(s["calls"][-1] == 1 for s in seen)


def test_environment_directory_and_logging_are_fresh_for_every_job(told):
    _, shell, _, _, seen = told
    assert [s["left"] for s in seen] == [None] * 3
    assert [s["cwd"] for s in seen] == [str(shell.cwd)] * 3
    assert [s["level"] for s in seen] == [20] * 3
    assert [s["handlers"] for s in seen] == [2] * 3


def test_a_job_sees_the_program_as_it_was_started(told):
    _, _, _, _, seen = told
    for s in seen:
        assert s["argv"][0] == str(APPS / "isolated_app.py")
        assert s["argv"][1:4] == ["-m", "+runyard=local", "i=1,2,3"]
        assert (s["name"], s["main"]) == ("__main__", str(APPS / "isolated_app.py"))
        assert (s["hydra"], s["runtime"]) == (True, "isolated_app")


def test_what_follows_the_main_function_is_done_once_and_by_the_controller(told):
    _, shell, _, _, _ = told
    assert [path.name for path in shell.cwd.glob("after_main.*")] == ["after_main.controller"]


def test_output_goes_to_the_log_but_inline(told):
    isolation, _, done, sweep, _ = told
    for job in range(3):
        text = (sweep / str(job) / "output.log").read_text()
        assert ("printed by the task" in text) is (isolation != "inline")
        assert ("its output went to the terminal" in text) is (isolation == "inline")
        assert "logged by the task" in (sweep / str(job) / "isolated_app.log").read_text()
    assert done.stdout.count("printed by the task") == (3 if isolation == "inline" else 0)


def test_the_files_of_hydra_are_the_same_in_every_way(shell):
    texts = []
    for isolation in ISOLATIONS:
        _, sweep = run(shell, "i=1,2", f"hydra.launcher.isolation={isolation}")
        files = sorted(sweep.glob("*/.hydra/*.yaml"))
        assert len(files) == 6
        said = f"hydra.launcher.isolation={isolation}", f"isolation: {isolation}", str(sweep), sweep.name
        text = "".join(path.read_text() for path in files)
        for word in said:
            text = text.replace(word, "")
        texts.append(text.replace("n_jobs: 1\n", "n_jobs: null\n"))
    assert texts[0] == texts[1] == texts[2]


def test_a_fresh_interpreter_has_the_jobs_environment_before_the_application_is_imported(shell):
    lent = ["hydra.launcher.gpus=[7]", "hydra.launcher.resources.gpus=1", "hydra.launcher.resources.cpus=1"]
    _, forked = run(shell, "i=1,2", *lent, "hydra.launcher.isolation=fork")
    _, spawned = run(shell, "i=1,2", *lent, "hydra.launcher.isolation=spawn")
    assert [(s["at_import"]["job"], s["at_import"]["devices"]) for s in seen_by(forked, 2)] == [
        ("controller", None)
    ] * 2
    assert [(s["at_import"]["job"], s["at_import"]["devices"]) for s in seen_by(spawned, 2)] == [("0", "7"), ("1", "7")]
    assert [s["at_import"]["threads"] for s in seen_by(spawned, 2)] == ["1", "1"]


def test_a_module_with_flags_of_the_interpreter_is_started_as_it_was(shell):
    package = shell.cwd / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text((APPS / "isolated_app.py").read_text())
    args = ["-m", "+runyard=local", "i=1,2", "hydra.launcher.isolation=spawn"]
    shell.python("-O", "-m", "package", *args, check=0)
    seen = seen_by(shell.sweeps("__main__")[-1], 2)
    assert [s["optimize"] for s in seen] == [1, 1]
    assert [s["at_import"]["job"] for s in seen] == ["0", "1"]


def test_modules_of_any_name_in_the_working_directory_do_no_harm_to_a_script_elsewhere(shell):
    for name in ("secrets", "select", "pickle", "hydra"):
        (shell.cwd / f"{name}.py").write_text("raise ImportError('not the standard one')")
    _, sweep = run(shell, "i=1,2", "hydra.launcher.isolation=spawn")
    assert states_of(sweep) == ["COMPLETED"] * 2


# -- fresh interpreters: how jobs end ---------------------------------------------------------------------------------


def test_an_import_that_fails_in_a_job_is_that_jobs_failure(shell):
    _, sweep = run(shell, "i=1,2,3", "hydra.launcher.isolation=spawn", check=1, APP_FAILS_IN="1")
    assert states_of(sweep) == ["COMPLETED", "FAILED", "COMPLETED"]
    (attempt,) = read_json(sweep / "1" / "run.json")["attempts"]
    assert (attempt["error"]["type"], attempt["error"]["message"]) == ("ImportError", "as asked")
    assert "ImportError: as asked" in (sweep / "1" / "output.log").read_text()


def test_a_program_that_ends_before_its_main_function_is_a_failure_and_said(shell):
    _, sweep = run(shell, "i=1,2", "hydra.launcher.isolation=spawn", check=1, APP_ENDS_IN="0")
    assert states_of(sweep) == ["FAILED", "COMPLETED"]
    (attempt,) = read_json(sweep / "0" / "run.json")["attempts"]
    assert "before it called its hydra.main function" in attempt["error"]["message"]


def test_each_fate_is_recorded_as_with_forked_jobs(shell):
    args = ["i=range(8)", "hydra.launcher.isolation=spawn", "hydra.launcher.timeout_min=0.1"]
    _, sweep = run(shell, *args, app="their_app", check=1)
    found = {}
    for job in range(8):
        record = read_json(sweep / str(job) / "run.json")
        (attempt,) = record["attempts"]
        error = attempt["error"] or {}
        found[job] = (record["state"], attempt["exit_code"], attempt["signal"], error.get("type"))
    assert found == {
        0: ("COMPLETED", 0, None, None),
        1: ("FAILED", 1, None, "ValueError"),
        2: ("FAILED", 1, None, "CannotBeUnpickled"),
        3: ("FAILED", 3, None, "SystemExit"),
        4: ("FAILED", 4, None, "ProcessEnded"),
        5: ("FAILED", None, "SIGSEGV", "Killed"),
        6: ("TIMEOUT", None, "SIGTERM", "Timeout"),
        7: ("COMPLETED", 0, None, None),
    }
    assert "Segmentation fault" in (sweep / "5" / "output.log").read_text()
    assert processes_of(sweep) == []


def test_want_of_memory_is_recorded_under_a_limit(shell):
    limit = "hydra.launcher.resources.mem_gb=1"
    _, sweep = run(shell, "i=1", "do=tell,fill", limit, "hydra.launcher.isolation=spawn", check=1)
    assert states_of(sweep) == ["COMPLETED", "OUT_OF_MEMORY"]


def test_a_killed_controller_leaves_no_process_and_its_sweep_is_resumed(shell):
    args = ["-m", "+runyard=local", "i=1,2,3", "sleep_s=600", "hydra.launcher.isolation=spawn"]
    process = shell.start_app("short_app", *args)
    wait_for(lambda: len(list((shell.cwd / "marks").glob("*.begun.*"))) == 2)
    sweep = shell.only_sweep("short_app")
    assert len(processes_of(sweep)) >= 2
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not processes_of(sweep))
    done = shell.runyard("resume", sweep.name, "hydra.launcher.timeout_min=0.05", timeout_s=60)
    assert done.returncode == 1, done.stderr
    assert states_of(sweep) == ["TIMEOUT"] * 3
    assert [len(read_json(sweep / str(job) / "run.json")["attempts"]) for job in range(3)] == [2, 2, 1]


def test_ctrl_c_ends_jobs_in_fresh_interpreters(shell):
    process = shell.start_app(
        "isolated_app", "-m", "+runyard=local", "i=1,2", "do=wait", "hydra.launcher.isolation=spawn"
    )
    wait_for(lambda: len(list(shell.cwd.glob("multirun/isolated_app/*/*/waits"))) == 2)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    sweep = shell.only_sweep("isolated_app")
    assert states_of(sweep) == ["CANCELLED"] * 2
    assert processes_of(sweep) == []


# -- the choice -------------------------------------------------------------------------------------------------------


def test_a_thread_of_the_application_makes_jobs_start_in_fresh_interpreters_and_that_is_said(shell):
    done, sweep = run(shell, "i=1,2", APP_THREAD="1")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("runyard:")]
    assert "1 thread of Python (poller)" in line
    assert "hydra.launcher.isolation=fork" in line
    seen = seen_by(sweep, 2)
    assert [s["at_import"]["job"] for s in seen] == ["0", "1"]
    assert all("poller" in s["threads"] for s in seen)


def test_who_insists_on_forking_is_warned_and_gets_it(shell):
    done, sweep = run(shell, "i=1,2", "hydra.launcher.isolation=fork", APP_THREAD="1")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("runyard:")]
    assert "1 thread of Python (poller)" in line
    assert "hydra.launcher.isolation=spawn" in line
    assert [s["at_import"]["job"] for s in seen_by(sweep, 2)] == ["controller"] * 2


def test_without_an_obstacle_jobs_are_forked_and_nothing_is_said(shell):
    done, sweep = run(shell, "i=1,2")
    assert "runyard:" not in done.stderr
    assert [s["at_import"]["job"] for s in seen_by(sweep, 2)] == ["controller"] * 2


NO_PROGRAM = "import runpy, sys; sys.argv = ['app', *sys.argv[1:]]; runpy.run_path({app!r}, run_name='__main__')"


def no_program(shell, *args, **options):
    code = NO_PROGRAM.format(app=str(APPS / "isolated_app.py"))
    return shell.python("-c", code, "-m", "+runyard=local", *args, **options)


def test_what_was_not_started_as_a_program_is_forked_with_a_warning(shell):
    done = no_program(shell, "i=1,2", check=0, APP_THREAD="1")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("runyard:")]
    assert "start it as a program" in line


def test_fresh_interpreters_are_refused_to_what_was_not_started_as_a_program(shell):
    done = no_program(shell, "i=1,2", "hydra.launcher.isolation=spawn", check=2)
    assert done.stderr.splitlines()[0].startswith("the application was not started as a program")
    assert "where: hydra.launcher.isolation=spawn" in done.stderr
    assert not list(shell.cwd.rglob("sweep.json"))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["hydra.launcher.isolation=forked"], "did you mean 'fork'?"),
        (["hydra.launcher.isolation=inline", "hydra.launcher.n_jobs=2"], "2 jobs at a time cannot run in one process"),
    ],
)
def test_wrong_choices_are_refused_before_anything_runs(shell, args, words):
    done = shell.app("isolated_app", "-m", "+runyard=local", "i=1,2", *args, check=2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(shell.cwd.rglob("sweep.json"))


# -- inline -----------------------------------------------------------------------------------------------------------


def test_limits_that_nothing_enforces_are_named(shell):
    args = ["hydra.launcher.timeout_min=1", "hydra.launcher.resources.mem_gb=100", "hydra.launcher.isolation=inline"]
    done, _ = run(shell, "i=1", *args)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("runyard:")]
    assert "nothing enforces hydra.launcher.timeout_min and hydra.launcher.resources.mem_gb" in line


def test_a_debugger_has_the_terminal(shell):
    command = [sys.executable, str(APPS / "isolated_app.py"), "-m", "+runyard=local", "i=6,7", "do=debug"]
    done = subprocess.run(
        [*command, "hydra.launcher.isolation=inline"],
        cwd=shell.cwd,
        env=shell.environment(),
        input="p cfg.i * 100\ncontinue\np cfg.i * 100\ncontinue\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "(Pdb) 600" in done.stdout
    assert "(Pdb) 700" in done.stdout


def test_a_debugger_that_is_quit_fails_the_job_and_no_other(shell):
    command = [sys.executable, str(APPS / "isolated_app.py"), "-m", "+runyard=local", "i=6,7", "do=debug"]
    done = subprocess.run(
        [*command, "hydra.launcher.isolation=inline"],
        cwd=shell.cwd,
        env=shell.environment(),
        input="quit\ncontinue\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    sweep = shell.only_sweep("isolated_app")
    assert states_of(sweep) == ["FAILED", "COMPLETED"]
    assert read_json(sweep / "0" / "run.json")["attempts"][0]["error"]["type"] == "bdb.BdbQuit"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_interrupts_the_job_and_the_sweep_which_can_be_resumed(shell, number):
    args = ["-m", "+runyard=local", "do=wait,tell", "i=1,2", "hydra.launcher.isolation=inline"]
    process = shell.start_app("isolated_app", *args)
    wait_for(lambda: list(shell.cwd.glob("multirun/isolated_app/*/0/waits")))
    process.send_signal(number)
    assert process.wait() == 130
    sweep = shell.only_sweep("isolated_app")
    assert states_of(sweep) == ["CANCELLED"]
    assert read_json(sweep / "sweep.json")["counts"] == {"CANCELLED": 1, "PENDING": 3}
    done = shell.runyard("retry", sweep.name, "--jobs", "2-3", check=1)
    assert states_of(sweep) == ["CANCELLED", "COMPLETED", "COMPLETED"]
    assert done.stdout.count("printed by the task") == 2  # and inline again


def test_a_task_that_catches_the_interrupt_keeps_its_result_and_the_sweep_stops(shell):
    args = ["-m", "+runyard=local", "i=1,2", "do=swallow", "hydra.launcher.isolation=inline"]
    process = shell.start_app("isolated_app", *args)
    wait_for(lambda: list(shell.cwd.glob("multirun/isolated_app/*/0/waits")))
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    sweep = shell.only_sweep("isolated_app")
    assert read_json(sweep / "0" / "run.json")["metrics"] == {"square": -1}
    assert states_of(sweep) == ["COMPLETED"]


# -- what only a job can tell -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_a_log_set_up_that_fails_is_each_jobs_failure(shell, isolation):
    broken = "hydra.job_logging.formatters.simple.format='%(nothing'"
    _, sweep = run(shell, "i=1,2", broken, f"hydra.launcher.isolation={isolation}", check=1)
    assert states_of(sweep) == ["FAILED"] * 2
    assert "formatter" in read_json(sweep / "0" / "run.json")["attempts"][0]["error"]["message"]
