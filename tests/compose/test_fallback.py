"""What the fast way hands over to Hydra, and how often a sweep asks Hydra at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import App, MakeApp, look


def _compose(app: App, *lines: tuple[str, ...], times: int = 1) -> int:
    """How often Hydra was asked for the lines, each of which came out as Hydra has it."""
    expected = [look(app.by_hydra(*line)) for line in lines]
    composer, before = app.composer(), app.loader.asked
    for _ in range(times):
        for line, seen in zip(lines, expected, strict=True):
            assert look(composer.compose(line)) == seen
    return app.loader.asked - before


def test_a_sweep_of_values_asks_hydra_twice_however_long_it_is(app: App) -> None:
    composer, before = app.composer(), app.loader.asked
    keys = set()
    for number in range(500):
        job = composer.job([f"seed={number}", f"lr={number / 7}", f"+tags=[a,{number}]"])
        keys.add(job.run_key())
        job.output_dir(number)
        assert job.order(number, "/x").texts is not None
    assert (len(keys), app.loader.asked - before) == (500, 2)


def test_a_sweep_whose_first_job_changes_nothing_asks_hydra_once(app: App) -> None:
    composer, before = app.composer(), app.loader.asked
    for line in ([], ["seed=1"], ["seed=2", "deep.a.b.c=3"]):
        composer.job(line).run_key()
    assert app.loader.asked - before == 1


CHOICES = {
    "a group": ("db=postgresql",),
    "a group of a group": ("model/optim@model.opt=sgd",),
    "a package": ("schedule@warm=cosine",),
    "a group that was none": ("extra=one",),
    "a group in another package": ("+db@second=postgresql",),
    "an experiment that overrides groups": ("+experiment=tuned",),
    "a group that is dropped": ("~db",),
    "a value of hydra's": ("hydra.job.name=other",),
    "hydra's variables": ("+hydra.job.env_set.X=1",),
    "hydra's verbosity": ("hydra.verbose=true",),
    "a group of hydra's": ("hydra/job_logging=none",),
}


@pytest.mark.parametrize("what", CHOICES)
def test_hydra_composes_a_choice_twice_and_its_values_are_set_quickly(app: App, what: str) -> None:
    chosen = CHOICES[what]
    lines = [(*chosen, f"seed={number}") for number in range(5)]
    assert _compose(app, *lines, times=2) == 2  # the first job, and the choice without its values


def test_each_combination_of_choices_is_composed_anew(app: App) -> None:
    lines = [
        (f"db={db}", f"dataset={dataset}", f"seed={seed}")
        for db in ("mysql", "postgresql", "nested")
        for dataset in ("small", "large")
        for seed in range(3)
    ]
    assert _compose(app, *lines) == 3 * 2 * 2


def test_the_same_choices_in_another_order_are_another_combination(app: App) -> None:
    assert _compose(app, ("db=nested", "dataset=large"), ("dataset=large", "db=nested")) == 2


ALONE = {
    "a search path": ("hydra.searchpath=[]", "seed=3"),
    "hydra's node as a whole": ("hydra={job:{name:z}}", "seed=3"),
    "a key whose way leads through an interpolation": ("copy.b.c=3",),
    "an addition to what an interpolation leads to": ("+copy=3",),
    "a deletion that compares with an interpolation": ("~copy={b:{c:1,d:0.1}}",),
    "a deletion of an interpolation": ("~name",),
    "a value below one that was just set": ("name=${dataset}", "name.size=4"),
}


@pytest.mark.parametrize("what", ALONE)
def test_hydra_alone_composes(app: App, what: str) -> None:
    line = ALONE[what]
    composer = app.composer()
    composer.compose(["seed=9"])
    before = app.loader.asked
    try:
        seen = look(app.by_hydra(*line))
    except Exception as error:
        with pytest.raises(type(error)) as caught:
            composer.compose(line)
        assert str(caught.value) == str(error)
    else:
        assert look(composer.compose(line)) == seen
        assert composer.job(line).choices is None
    assert app.loader.asked > before


def test_a_config_file_that_has_the_name_of_a_deleted_key_is_hydras_to_judge(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("defaults: [_self_, part]\nx: 1\n")
    (tmp_path / "part.yaml").write_text("part: {y: 2}\n")
    app = make_app(config_dir=tmp_path)
    composer = app.composer()
    for line in (["~part"], ["x=2"], ["~part", "x=3"]):
        assert look(composer.compose(line)) == look(app.by_hydra(*line))
    assert composer.job(["~part"]).choices is None
    assert composer.job(["x=2"]).choices == ()


def test_values_that_composing_makes_something_of_are_never_set_quickly(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("sep: '-'\nhydra: {job: {config: {override_dirname: {kv_sep: '${sep}'}}}}\n")
    app = make_app(config_dir=tmp_path)
    composer = app.composer()
    for line in ([], ["sep=_"], ["sep=+"]):
        assert look(composer.compose(line)) == look(app.by_hydra(*line))
        assert composer.job(line).choices is None


def test_a_first_job_that_cannot_tell_does_not_slow_down_the_others(app: App) -> None:
    composer = app.composer()
    assert composer.job(["~name"]).choices is None
    assert composer.job(["seed=3"]).choices == ()
    before = app.loader.asked
    composer.job(["seed=4"]).run_key()
    assert app.loader.asked == before


def test_a_first_job_in_error_does_not_slow_down_the_others(app: App) -> None:
    composer = app.composer()
    with pytest.raises(Exception, match="nope"):
        composer.job(["nope=3"])
    assert composer.job(["seed=3"]).choices == ()
    before = app.loader.asked
    composer.job(["seed=4"]).run_key()
    assert app.loader.asked == before


@settings(max_examples=20, deadline=None, derandomize=True, database=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=4))
def test_what_lies_in_a_job_on_loan_is_gone_with_it(app: App, values: list[int]) -> None:
    composer = app.composer()
    seen = look(composer.compose([]))
    for number, value in enumerate(values):
        with composer.job([f"deep.a.b.c={value}", f"+new{value}.x=1"]).on_loan(number) as config:
            assert (config.deep.a.b.c, config[f"new{value}"].x, config.hydra.job.num) == (value, 1, number)
    assert look(composer.compose([])) == seen
