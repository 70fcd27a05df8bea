"""The front over the launcher: grids and options as tables, and one sweep from end to end."""

import csv
import importlib.util
import json
import sys
from pathlib import Path

import pytest

from runyard import UsageError

SCRIPT = Path(__file__).parents[2] / "scripts" / "run_meituan_shadow_sweep.py"
DAY = "data/meituan_city_lunchtime_plat10301330_day{day}.csv"


def _load():
    spec = importlib.util.spec_from_file_location("run_meituan_shadow_sweep", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


front = _load()


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.5", ["0.5"]),
        ("0.5,1.0", ["0.5", "1"]),
        ("1, 0.50 ,1.0", ["1", "0.5"]),
        ("-0.005,0,-0", ["-0.005", "0"]),
        ("100,1e-4", ["100", "0.0001"]),
        ("0:1:0.25", ["0", "0.25", "0.5", "0.75", "1"]),
        ("0:0.3:0.1", ["0", "0.1", "0.2", "0.3"]),
        ("0:1:0.3", ["0", "0.3", "0.6", "0.9"]),
        ("0:1:0.4", ["0", "0.4", "0.8"]),
        ("0:1:0.6", ["0", "0.6", "1.2"]),
        ("1:0:-0.5", ["1", "0.5", "0"]),
        ("2:2:1", ["2"]),
    ],
)
def test_a_grid_is_a_list_or_an_inclusive_range_of_rounded_length(text, values):
    assert front.grid_values(text) == values


@pytest.mark.parametrize("text", ["", "a", "1,,2", "0:1", "0:1:0", "0:1:0.1:2", "nan", "inf,1", "1:0:0.5", "0:inf:1"])
def test_what_is_no_grid_is_refused(text):
    with pytest.raises(UsageError, match="gives no values"):
        front.grid_values(text)


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (("0", "10", "hd", "0.5", "0"), "meituan_day0_d10_gamma0p5_tau0_run.csv"),
        (("7", "2.5", "hd", "1", "-0.005"), "meituan_day7_d2p5_gamma1_taum0p005_run.csv"),
        (("0", "10", "pb", "0.5", "0"), "meituan_day0_pb_d10_gamma0p5_tau0_run.csv"),
    ],
)
def test_a_result_is_named_after_its_configuration(row, name):
    assert front.save_name(dict(zip(("day", "d", "shadow", "gamma", "tau"), row, strict=True))) == name


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["--with_opt"], {"with_opt": "true"}),
        (["--with-opt", "false", "--seed=3"], {"with_opt": "false", "seed": "3"}),
        (["--export-npz", "--tie-breaker", "random"], {"export_npz": "true", "tie_breaker": "random"}),
    ],
)
def test_unknown_flags_are_options_of_the_job(words, options):
    assert front.passthrough(words) == options


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--with_opts"], "unknown job option 'with_opts'.*\n.*\n.*did you mean 'with_opt'"),
        (["--tie-breaker"], "needs a value"),
        (["--seed", "--with_opt"], "needs a value"),
        (["--gamma", "1"], "part of the grid"),
        (["--name", "arena"], "unknown job option"),
        (["day=3"], "is no option"),
    ],
)
def test_options_that_no_job_has_are_refused(words, message):
    with pytest.raises(UsageError, match=message):
        front.passthrough(words)


def test_flags_may_be_written_with_underscores_and_lists_begin_with_a_minus():
    args, overrides = front.parse(["--tau_values", "-0.1,0", "--jobs_template", "my data/{day}.csv", "--with-opt"])
    assert args.tau_values == "-0.1,0"
    assert overrides == ['workload.jobs_template="my data/{day}.csv"', "workload.with_opt=true"]


@pytest.mark.parametrize(
    "value", ["plain", "with space", 'a "quoted" word', "back\\slash", 'back\\"slash', "it's", "{day}", "1,2", "a=b"]
)
def test_values_survive_the_override_grammar(value):
    from hydra.core.override_parser.overrides_parser import OverridesParser

    text = f"workload.jobs_csv={front.hydra_text(value)}"
    assert str(OverridesParser.create().parse_override(text).value()) == value


HEADER = "day,d,shadow,jobs_csv,save_csv,gamma,tau"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column day, d, shadow"),
        ("day,d,shadow,jobs_csv,gamma,tau\n", "no column save_csv"),
        (f"{HEADER}\n", "has no rows"),
        (f"{HEADER},colour\n0,10,hd,a,b,1,0,red\n", "unknown job option 'colour'"),
        (f"{HEADER},day\n0,10,hd,a,b,1,0,1\n", "column 'day' comes twice"),
        (f"{HEADER}\n0,10,hd,a,b,,0\n", "the cell gamma is empty"),
        (f"{HEADER}\n0,10,hd,a,b,1,0,0\n", "more cells than columns"),
    ],
)
def test_a_config_csv_that_was_edited_into_nonsense_is_refused(tmp_path, text, message):
    path = tmp_path / "config.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        front.read_config(path, None)


def test_two_rows_cannot_write_one_file(tmp_path):
    row = {"jobs_csv": "a", "save_csv": "out.csv"}
    with pytest.raises(UsageError, match="same file"):
        front.placed([row, dict(row)], tmp_path)


@pytest.fixture
def orders(shell):
    shell.python("-m", "app.workloads.dispatch.generate", "--days", "1", "--jobs", "60", "--out", "data", check=0)
    return shell


def test_the_script_sweeps_a_grid_and_runs_the_edited_config_again(orders):
    grid = ["--day", "0", "--day", "5", "--d", "20", "--gamma-values", "0.5,1", "--tau-values=0"]
    done = orders.python(str(SCRIPT), *grid, "--with_opt", "--export-npz", "--tie-breaker", "random", check=1)
    assert f"no such file: {DAY.format(day=5)}: 2 runs are left out" in done.stderr

    config = read(orders.cwd / "configs/meituan_shadow_sweep.csv")
    assert [(row["day"], row["gamma"]) for row in config] == [("0", "0.5"), ("0", "1"), ("5", "0.5"), ("5", "1")]
    final = read(orders.cwd / "results/meituan_sweep_final.csv")
    assert [[row[k] for k in ("day", "d", "shadow", "gamma", "tau")] for row in final] == [
        ["0", "20", "hd", "0.5", "0"],
        ["0", "20", "hd", "1", "0"],
    ]
    assert all(float(row["savings"]) <= float(row["opt"]) <= float(row["lp"]) + 1e-9 for row in final)
    one = orders.cwd / "results/meituan_day0_d20_gamma0p5_tau0_run.csv"
    assert read(one) == final[:1]

    manifest = json.loads((orders.cwd / "results/meituan_sweep_final.manifest.json").read_text())
    assert [(run["state"], run["return_code"]) for run in manifest["runs"]] == [
        ("COMPLETED", 0),
        ("COMPLETED", 0),
        ("MISSING_INPUT", None),
        ("MISSING_INPUT", None),
    ]
    assert manifest["runs"][0]["output"] == "results/meituan_day0_d20_gamma0p5_tau0_run.csv"
    sweep = orders.cwd / manifest["sweep"]
    assert (sweep / "0" / "matches.npz").is_file()
    assert "tie_breaker: random" in (sweep / "0" / ".hydra" / "config.yaml").read_text()

    edited = orders.cwd / "configs/mine.csv"
    edited.write_text(f"{HEADER},seed\n0,15,pb,{DAY.format(day=0)},mine.csv,0.75,0.001,4\n")
    again = ["--config-in", "configs/mine.csv", "--final-out", "again.csv", "--results-dir", "other"]
    orders.python(str(SCRIPT), *again, "--no-keep-individual", check=0)
    (row,) = read(orders.cwd / "again.csv")
    shown = ("day", "d", "shadow", "gamma", "tau", "seed", "dispatch")
    assert [row[k] for k in shown] == ["0", "15", "pb", "0.75", "0.001", "4", "greedy+"]
    assert not (orders.cwd / "other").exists()
    assert one.is_file()


def test_a_dry_run_writes_the_config_and_runs_nothing(orders):
    done = orders.python(str(SCRIPT), "--day", "0", "--dry-run", check=0)
    assert len(read(orders.cwd / "configs/meituan_shadow_sweep.csv")) == 3 * 2 * 2
    assert "-m app -m workload=dispatch hydra.sweeper.table=configs/meituan_shadow_sweep.table.csv" in done.stdout
    assert done.stdout.rstrip().endswith("nothing was run")
    assert not (orders.cwd / "multirun").exists()
    assert not (orders.cwd / "results").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--no-such-option"], "unknown job option 'no_such_option'"),
        (["--config-in", "missing.csv"], "cannot be read"),
        (["--config-in", "x.csv", "--day", "0"], "--day besides --config-in"),
        (["--jobs-template", "one.csv"], "names the same file for every day"),
    ],
)
def test_wrong_usage_is_said_and_writes_nothing(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    assert front.main(words) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_the_application_refuses_leaves_earlier_results_alone(orders):
    (orders.cwd / "results").mkdir()
    (orders.cwd / "results/meituan_sweep_final.csv").write_text("of an earlier sweep")
    done = orders.python(str(SCRIPT), "--day", "0", "--shadows", "hdd", check=2)
    assert "unknown shadow 'hdd'" in done.stderr
    assert "Traceback" not in done.stderr
    assert (orders.cwd / "results/meituan_sweep_final.csv").read_text() == "of an earlier sweep"
