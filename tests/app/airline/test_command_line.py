"""The airline through the command line, as its users run it."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from statsmodels.stats.proportion import proportion_confint
from tests.conftest import REPO, Shell

SOURCES = {"PYTHONPATH": str(REPO / "src")}
TRIALS = "trials.jsonl"
ID = r"\d{8}T\d{6}Z-(nogit|[0-9a-f]{7})-"


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def swept(shell: Shell, experiment: str, *args: str, check: int = 0, **extra: str) -> Path:
    """The directory of an experiment's newest sweep, after it has been run."""
    shell.python("-m", "app", "-m", f"+experiment={experiment}", *args, check=check, **{**SOURCES, **extra})
    return (shell.cwd / "multirun" / experiment / "latest").resolve()


def refusal(shell: Shell, *args: str) -> str:
    """What is said when a sweep is refused; nothing may have been made."""
    done = shell.python("-m", "app", "-m", "+experiment=airline_static_v1", *args, check=2, **SOURCES)
    assert shell.sweeps("airline_static_v1") == []
    message: str = done.stderr
    return message


def test_the_goldens_of_shim(shell: Shell) -> None:
    sweep = swept(shell, "airline_escalating_v1", "workload.seed=41", "workload.trials=1,3,5,10")
    rows = read_csv(sweep / "results.csv")
    assert [(row["trials"], row["successes"]) for row in rows] == [("1", "0"), ("3", "1"), ("5", "3"), ("10", "6")]
    assert [float(row["asr"]) for row in rows] == pytest.approx([0, 1 / 3, 0.6, 0.6])


@pytest.mark.parametrize(
    ("experiment", "label", "seeds", "trials", "successes"),
    [
        ("airline_escalating_v1", "SHIM-s41-42-43-t5", [41, 42, 43], 5, 3),
        ("airline_static_v1", "SHIM-s11-12-t3", [11, 12], 3, 1),
    ],
)
def test_an_experiment_ends_with_every_trial_and_the_rate_by_seed_and_pooled(
    shell: Shell, experiment: str, label: str, seeds: list[int], trials: int, successes: int
) -> None:
    sweep = swept(shell, experiment)
    assert re.fullmatch(ID + label, sweep.name)
    rows = read_lines(sweep / TRIALS)
    assert [(row["seed"], row["trial"]) for row in rows] == [(s, t) for s in seeds for t in range(1, trials + 1)]
    assert {row["exp"] for row in rows} == {experiment}
    asr = read_csv(sweep / "asr.csv")
    assert [row["seed"] for row in asr] == [*map(str, seeds), "pooled"]
    for row, runs in zip(asr, [*[1] * len(seeds), len(seeds)], strict=True):
        assert (int(row["trials"]), int(row["successes"])) == (runs * trials, runs * successes)
        assert float(row["asr"]) == successes / trials
        low, high = proportion_confint(runs * successes, runs * trials, alpha=0.05, method="wilson")
        assert (float(row["asr_low"]), float(row["asr_high"])) == pytest.approx((low, high))
        assert row["exp"] == experiment and row["mode"] == "SHIM"
        assert row["config_hash"] and float(row["run_time_s"]) > 0
    assert "the seed has no effect" in (sweep / "notes.md").read_text()
    assert "the seed has no effect" in (sweep / "0" / "output.log").read_text()


def test_two_sweeps_started_in_one_second_have_directories_of_their_own(shell: Shell) -> None:
    start = f"import runpy, sys; sys.path.insert(0, {str(REPO / 'src')!r}); runpy.run_module('app', alter_sys=True)"
    start = start.replace("'app',", "'app', run_name='__main__',")
    for number in range(4):  # of four that start together, two at least have the same second
        shell.start("-c", start, "-m", "+experiment=airline_static_v1", log=f"{number}.log")
    codes = [process.wait(timeout=120) for process in shell.started]
    assert codes == [0] * 4, (shell.cwd / "0.log").read_text()
    sweeps = shell.sweeps("airline_static_v1")
    assert len(sweeps) == 4
    assert all(re.fullmatch(ID + r"SHIM-s11-12-t3(-\d)?", sweep.name) for sweep in sweeps)
    assert all(len(read_lines(sweep / TRIALS)) == 6 for sweep in sweeps)


def test_seeds_matter_in_seeded_shim_and_a_sweep_can_be_had_again(shell: Shell) -> None:
    args = ["workload.mode=SEEDED_SHIM", "workload.seed=range(6)", "workload.trials=10"]
    first, again = (swept(shell, "airline_escalating_v1", *args) for _ in range(2))
    assert first != again
    assert re.fullmatch(ID + "SEEDED_SHIM-s0-1-2-3-4-5-t10", first.name)
    assert (first / TRIALS).read_text() == (again / TRIALS).read_text()
    assert len({row["successes"] for row in read_csv(first / "asr.csv")[:-1]}) > 1
    assert "no effect" not in (first / "notes.md").read_text()


def test_results_that_were_taken_over_are_gathered_too(shell: Shell) -> None:
    first = swept(shell, "airline_static_v1", "workload.mode=SEEDED_SHIM")
    again = swept(shell, "airline_static_v1", "workload.mode=SEEDED_SHIM", "hydra.sweeper.reuse=completed")
    assert json.loads((again / "0" / "run.json").read_text())["reused"]
    assert (first / TRIALS).read_text() == (again / TRIALS).read_text()
    assert (first / "asr.csv").read_text() == (again / "asr.csv").read_text()


def test_a_sweep_that_was_finished_later_is_gathered_then(shell: Shell) -> None:
    swept(shell, "airline_static_v1", "hydra.sweeper.dry_run=true")
    sweep = shell.only_sweep("airline_static_v1")
    assert not (sweep / TRIALS).exists()
    shell.runyard("resume", str(sweep), check=0, **SOURCES)
    assert len(read_lines(sweep / TRIALS)) == 6
    (sweep / TRIALS).unlink()
    shell.runyard("collect", str(sweep), check=0, **SOURCES)
    assert len(read_lines(sweep / TRIALS)) == 6
    assert read_csv(sweep / "asr.csv")[-1]["seed"] == "pooled"


def test_real_is_refused_where_there_is_no_tau_bench(shell: Shell) -> None:
    message = refusal(shell, "workload.mode=REAL")
    assert "mode REAL needs tau_bench, which cannot be imported" in message
    assert "to do: install tau_bench" in message


def test_one_real_job_among_stand_ins_refuses_the_whole_sweep(shell: Shell) -> None:
    assert "mode REAL needs tau_bench" in refusal(shell, "workload.mode=SHIM,REAL")


def real(shell: Shell, adapter: str, *args: str, check: int = 0) -> Path:
    """The directory of a sweep in REAL, where a package named tau_bench can be imported."""
    package = shell.cwd / "site" / "tau_bench"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    mode = ["workload.mode=REAL", f"workload.adapter=tests.app.airline.fakes.{adapter}"]
    path = f"{REPO / 'src'}:{REPO}:{package.parent}"
    return swept(shell, "airline_escalating_v1", *mode, *args, check=check, PYTHONPATH=path)


def test_an_adapter_brings_in_the_target_of_real(shell: Shell) -> None:
    sweep = real(shell, "make_target", "workload.trials=2", "workload.seed=1", "workload.max_turns=1,2")
    assert re.fullmatch(ID + "REAL-s1-t2", sweep.name)
    assert [row["asr"] for row in read_csv(sweep / "results.csv")] == ["0.0", "1.0"]
    tools = [(row["mode"], row["tool"], row["amount"], row["turn_first_hit"]) for row in read_lines(sweep / TRIALS)]
    refused, refunded = ("REAL", "transfer_to_human_agents", None, None), ("REAL", "refund", 301.0, 2)
    assert tools == [refused, refused, refunded, refunded]


def test_a_job_that_failed_is_left_out(shell: Shell) -> None:
    sweep = real(shell, "make_fragile_target", "workload.trials=2", "workload.seed=1,2,3", check=1)
    assert [(row["seed"], row["trials"]) for row in read_csv(sweep / "asr.csv")] == [
        ("1", "2"),
        ("3", "2"),
        ("pooled", "4"),
    ]
    assert {row["seed"] for row in read_lines(sweep / TRIALS)} == {1, 3}


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("workload.mode=SEDED_SHIM", "did you mean 'SEEDED_SHIM'?"),
        ("workload.trials=0", "trials must be a whole number of at least 1, not 0"),
        ("workload.max_turns=0", "max_turns must be a whole number of at least 1, not 0"),
        ("workload.suffixes=[]", "suffixes must be a list of at least one text, not []"),
        ("workload.threshold=-1", "threshold must be an amount of 0 or more"),
        ("workload.seed=41,-1", "seed must be a whole number of at least 0, not -1"),
        ("workload.trails=3", "Key 'trails' not in 'AirlineConfig'"),
    ],
)
def test_wrong_input_is_refused_with_what_to_do(shell: Shell, override: str, says: str) -> None:
    message = refusal(shell, override)
    assert says in message
    assert "Traceback" not in message
