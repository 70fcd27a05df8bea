"""Every benchmark runs, on next to nothing, and its page is written. No time is judged here."""

import json
import math
from collections.abc import Mapping
from types import SimpleNamespace

import pytest
import yaml
from benchmarks.__main__ import main
from benchmarks.apps import LARGE_FILES, LARGE_KEYS, large_configs, make_app
from benchmarks.commands import BenchmarkError, Place, run
from benchmarks.contenders import CONTENDERS, absent, present
from benchmarks.figures import Figure
from benchmarks.launchers import in_turns, sweep_seconds
from benchmarks.report import BENCHMARKS, page, read_results, write_result
from benchmarks.sizes import SIZES, TINY
from benchmarks.stats import Series, number


def _result(measured, *, size="full", **machine):
    return {"size": size, "date": "2000-01-01", "machine": machine, "measured": measured}


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path / "place")


@pytest.mark.parametrize("name", [name for name in BENCHMARKS if name != "slurm"])  # that is in tests/slurm
def test_a_benchmark_measures_and_tells_what_it_measured(name, place, tmp_path):
    measured = BENCHMARKS[name].measure(TINY, place)
    assert json.loads(json.dumps(measured, allow_nan=False)) is not None
    assert all(math.isfinite(value) for value in _numbers(measured))
    write_result(tmp_path, name, _result(measured, size="tiny"))

    written = page(read_results(tmp_path))

    assert f"## {BENCHMARKS[name].TITLE}\n" in written
    assert all(figure.what in written for figure in BENCHMARKS[name].figures(measured))
    assert "not judged" in written
    assert str(tmp_path) not in written


def _numbers(value):
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [found for item in value for found in _numbers(item)]
    return [value] if isinstance(value, int | float) else []


def test_a_figure_of_a_full_run_is_judged():
    def told(ms):
        measured = {"ms": {'python -c "import click"': [10.0], "runyard --help": [ms]}}
        assert all(isinstance(figure, Figure) for figure in BENCHMARKS["startup"].figures(measured))
        return page({"startup": _result(measured)})

    assert "| yes |" in told(24.0)
    assert "| **no** |" in told(26.0)


def test_parts_measured_on_different_machines_are_told_apart():
    measured = {"ms": {'python -c "import click"': [10.0], "runyard --help": [20.0]}}
    resumed = {"jobs": 2, "known_s": [1.0], "ended_s": [1.0]}
    written = page({"resume": _result(resumed, memory="2 GB"), "startup": _result(measured, memory="1 GB")})
    assert "For resuming:\n\n- memory: 2 GB" in written
    assert "For start-up:\n\n- memory: 1 GB" in written


def test_a_part_that_is_repeated_leaves_the_others(tmp_path, capsys):
    results, written = tmp_path / "results", tmp_path / "page.md"
    where = ["--tiny", "--results", str(results), "--page", str(written)]
    write_result(results, "resume", _result({"jobs": 7, "known_s": [1.0], "ended_s": [2.0]}))
    assert main([*where, "--only", "startup"]) == 0
    assert "## Start-up" in written.read_text()
    assert "7 jobs are all COMPLETED" in written.read_text()

    assert main([*where, "--page-only"]) == 0
    assert "startup: done" in capsys.readouterr().out
    assert {path.stem for path in results.iterdir()} == {"resume", "startup"}


def test_a_part_that_fails_leaves_no_old_result_and_the_others_are_measured(tmp_path, monkeypatch, capsys):
    def fail(sizes, place):
        raise BenchmarkError("the launcher ended with 9")

    monkeypatch.setitem(BENCHMARKS, "resume", SimpleNamespace(measure=fail))
    results, written = tmp_path / "results", tmp_path / "page.md"
    write_result(results, "resume", _result({"jobs": 7, "known_s": [1.0], "ended_s": [2.0]}))
    assert main(["--tiny", "--results", str(results), "--page", str(written), "--only", "resume", "startup"]) == 1
    assert "resume failed: the launcher ended with 9" in capsys.readouterr().err
    assert {path.stem for path in results.iterdir()} == {"startup"}
    assert "## Start-up" in written.read_text()


def test_a_launcher_that_fails_or_leaves_jobs_out_is_no_measurement(place):
    app = make_app("trivial", place.root / "app")
    broken = make_app("trivial", place.root / "broken")
    broken.write_text(broken.read_text().replace("return float(cfg.x)", "raise SystemExit(3)"))
    silent = make_app("trivial", place.root / "silent")
    silent.write_text("")
    assert sweep_seconds(app, CONTENDERS["basic"], 2, place) > 0
    with pytest.raises(BenchmarkError, match="ended with 3"):
        sweep_seconds(broken, CONTENDERS["basic"], 2, place)
    with pytest.raises(BenchmarkError, match="ran 0 of 2 jobs"):
        sweep_seconds(silent, CONTENDERS["basic"], 2, place)


def test_contenders_take_turns_and_slow_ones_drop_out():
    assert list(in_turns({"a": 3, "b": 1, "c": 2})) == ["a", "b", "c", "a", "c", "a"]
    assert list(in_turns({})) == []


def test_every_contender_is_either_measured_or_named_as_missing():
    found = present()
    assert {"ours", "basic", "joblib", "submitit"} <= set(found)
    assert len(found) + len(absent(found)) == len(CONTENDERS)
    for sizes in SIZES.values():
        for load in sizes.loads:
            assert set(load.rounds) <= set(CONTENDERS)
            assert "ours" in load.rounds


def test_the_large_application_is_as_large_as_it_is_said_to_be():
    files = large_configs()
    keys = sum(_leaves(yaml.safe_load(text)) for text in files.values())
    assert (len(files), keys) == (LARGE_FILES, LARGE_KEYS)


def _leaves(values):
    values = {key: value for key, value in values.items() if key != "defaults"}
    return sum(_leaves(value) if isinstance(value, dict) else 1 for value in values.values())


def test_programs_are_started_without_what_could_turn_their_knobs(place, monkeypatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.setenv("RUNYARD_ROOT", "elsewhere")
    folder = place.folder()
    found = run(["env"], place, folder).output
    assert "HYDRA_" not in found
    assert "RUNYARD_" not in found
    assert f"HOME={place.home}" in found


def test_a_series_tells_its_median_its_spread_and_its_number():
    assert Series.of([3.0, 1.0, 2.0]).text("s") == "2.00 s (1.00 to 3.00, n=3)"
    assert Series.of([0.5]).scaled(1000).text("ms") == "500 ms (n=1)"
    with pytest.raises(ValueError, match="no measurements"):
        Series.of([])
    assert [number(x) for x in (12345.6, 12.345, 1.2345, 0.12345)] == ["12,346", "12.3", "1.23", "0.123"]
