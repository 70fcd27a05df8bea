"""An unmodified application whose jobs go wrong in every way: each fate is recorded, and the sweep goes on."""

import csv

import pytest
from tests.conftest import processes_of, read_json

STATES = {1: "FAILED", 2: "FAILED", 3: "FAILED", 4: "FAILED", 5: "FAILED", 6: "TIMEOUT"}


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    from tests.conftest import Shell

    shell = Shell(tmp_path_factory.mktemp("failures"))
    done = shell.app("their_app", "-m", "+runyard=local", "i=range(12)", "hydra.launcher.timeout_min=0.05")
    return shell, done, shell.only_sweep("their_app")


def test_half_of_the_jobs_complete_and_the_exit_code_is_one(failed):
    _, done, sweep = failed
    assert done.returncode == 1, done.stderr
    assert read_json(sweep / "sweep.json")["counts"] == {"COMPLETED": 6, "FAILED": 5, "TIMEOUT": 1}


def test_each_job_has_its_own_state_in_its_record(failed):
    _, _, sweep = failed
    for job in range(12):
        assert read_json(sweep / str(job) / "run.json")["state"] == STATES.get(job, "COMPLETED")


@pytest.mark.parametrize(
    ("job", "exit_code", "signal", "kind"),
    [
        (1, 1, None, "ValueError"),
        (2, 1, None, "CannotBeUnpickled"),
        (3, 3, None, "SystemExit"),
        (4, 4, None, "ProcessEnded"),
        (5, None, "SIGSEGV", "Killed"),
        (6, None, "SIGTERM", "Timeout"),
    ],
)
def test_the_cause_of_each_failure_is_in_its_record(failed, job, exit_code, signal, kind):
    _, _, sweep = failed
    (attempt,) = read_json(sweep / str(job) / "run.json")["attempts"]
    assert (attempt["exit_code"], attempt["signal"], attempt["error"]["type"]) == (exit_code, signal, kind)


def test_a_traceback_is_kept_and_shown_with_the_log(failed):
    _, done, sweep = failed
    trace = read_json(sweep / "1" / "run.json")["attempts"][0]["error"]["traceback"]
    assert 'raise ValueError("one raises")' in trace
    assert 'raise ValueError("one raises")' in done.stderr
    assert f"{sweep.name}/1/output.log" in done.stderr


def test_a_crash_in_native_code_leaves_its_python_stack_in_the_log(failed):
    _, _, sweep = failed
    assert "Segmentation fault" in (sweep / "5" / "output.log").read_text()


def test_no_process_is_left_behind(failed):
    _, _, sweep = failed
    assert processes_of(sweep) == []


def test_results_have_a_row_per_job_and_no_value_where_there_is_none(failed):
    _, _, sweep = failed
    with (sweep / "results.csv").open() as file:
        rows = {int(row["job"]): row for row in csv.DictReader(file)}
    assert sorted(rows) == list(range(12))
    assert rows[7]["square"] == "49"
    assert rows[1]["square"] == ""


def test_the_way_to_finish_what_is_left_is_named(failed):
    _, done, sweep = failed
    assert f"runyard resume {sweep.name}" in done.stderr


def test_a_flood_of_output_goes_to_the_log_and_not_to_the_terminal(shell):
    (shell.cwd / "flood.py").write_text(
        "import hydra, os\n"
        "@hydra.main(version_base='1.3', config_path=None)\n"
        "def main(cfg):\n"
        "    block = b'x' * 1_000_000\n"
        "    for _ in range(100): os.write(1, block)\n"
        "    return {'mb': 100}\n"
        "main()\n"
    )
    done = shell.python("flood.py", "-m", "+runyard=local", "+i=0,1", check=0)
    assert len(done.stdout) + len(done.stderr) < 10_000
    sweep = shell.only_sweep("flood")
    assert all((sweep / job / "output.log").stat().st_size >= 100_000_000 for job in "01")


COMBINED_APP = """
import hydra
from dataclasses import dataclass, field
from typing import Any
from hydra.core.config_store import ConfigStore
@dataclass
class Conf:
    part: Any = field(default_factory=lambda: {'size': 0})
ConfigStore.instance().store(name='conf', node=Conf)
@hydra.main(version_base='1.3', config_path=None, config_name='conf')
def main(cfg):
    return {'done': 1}
if __name__ == '__main__': main()
"""


def test_a_combination_of_values_that_cannot_be_composed_fails_alone(shell):
    (shell.cwd / "combined.py").write_text(COMBINED_APP)
    (shell.cwd / "mine.csv").write_text("part,part.size\n1,\n{size: 0},1\n1,1\n{size: 0},\n")
    shell.python("combined.py", "-m", "+runyard=local", "hydra.sweeper.table=mine.csv", check=1)
    folder = shell.only_sweep("combined")
    runs = [read_json(folder / str(job) / "run.json") for job in range(4)]
    assert [run["state"] for run in runs] == ["COMPLETED", "COMPLETED", "FAILED", "COMPLETED"]
    assert runs[2]["attempts"][0]["error"]["type"] == "ConfigCompositionException"
    assert "Could not override 'part.size'" in (folder / "2" / "output.log").read_text()
