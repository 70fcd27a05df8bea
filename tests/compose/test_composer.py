from __future__ import annotations

import contextlib
import pickle
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

from runyard.compose import Composer, Frozen, freeze_config, is_same_config, number_job

from .conftest import App, MakeApp, look, register

#: lines that only set values: they must go the fast way.
VALUES = [
    [],
    ["lr=0.5"],
    ["lr=0.5", "seed=3", "needed=7"],
    ["seed=3", "lr=0.5"],
    ["lr=1", "lr=2"],
    ["lr=null"],
    ["lr=text"],
    ["lr='0.5'"],
    ["lr=${seed}"],
    ["lr=${oc.env:HOME}"],
    ["lr=1e-3", "seed=-1"],
    ["lr=inf", "seed=-inf"],
    ["needed=[1,2,{a:3}]"],
    ["numbers=[4]"],
    ["numbers=[]"],
    ["numbers.0=9"],
    ["numbers[1]=9"],
    ["deep.a.b.c=5"],
    ["deep.a.b={c:5}"],
    ["deep.a.b={c:5,d:6}"],
    ["deep={a:{b:{c:9}}}"],
    ["deep.list.1.x=3"],
    ["deep.list=[1,[2,{y:3}]]"],
    ["+new=1"],
    ["+new.deep.er=1"],
    ["+new={a:1,b:[2]}"],
    ["+deep.a.b.new=1"],
    ["+deep.a.b={new:1}"],
    ["+numbers=[4,5]"],
    ["++lr=3", "++other.new=4"],
    ["++deep.a={z:1}"],
    ["~lr"],
    ["~deep.a"],
    ["~lr=0.1"],
    ["~nothing=null"],
    ["~lr", "+lr=7"],
    ["++lr=7", "~lr"],
    ["empty={a:1}"],
    ["+empty.x=1"],
    ["text='it\\'s'"],
    ['text="a b"'],
    ["text=a b c"],
    [r"text=a\,b"],
    ["text='${lr}'"],
    ["text=a=b=c"],
    ["text="],
    ["text=''"],
    ["text=/a/b:c@d"],
    ["db.host=there", "db.port=1"],
    ["db={host:there}"],
    ["db={host:there,user:me}"],
    ["+db.new=1"],
    ["+db={new:1}"],
    ["model.opt.lr=5", "model.opt.betas=[1]"],
    ["warm.steps=1", "cool.steps=2"],
    ["copy=1"],
    ["copy={b:{c:3}}"],
    ["stop.patience=1"],
    ["callbacks.stop.patience=1"],
    ["job=x", "name=y", "stamp=z"],
    ["dataset.path=${.size}"],
    ["1=uno"],
]

#: lines that choose, add or drop config groups, or touch Hydra's own node.
STRUCTURE = [
    ["db=postgresql"],
    ["db=postgresql", "lr=0.5", "db.options.ssl=false"],
    ["lr=0.5", "db=postgresql", "db.host=there"],
    ["db=nested"],
    ["db=nested", "db/auth=token"],
    ["model=mlp"],
    ["model=mlp", "dataset=large", "fit.batch=3"],
    ["model/optim@model.opt=sgd", "model.opt.momentum=0.5"],
    ["schedule@warm=cosine"],
    ["schedule@cool=linear", "cool.steps=1"],
    ["extra=one"],
    ["extra=two"],
    ["+extra=one", "extras.one.x=5"],
    ["+db@second=postgresql"],
    ["+db@second=postgresql", "second.port=1"],
    ["~db"],
    ["~schedule@cool"],
    ["~db=mysql"],
    ["~callbacks"],
    ["callbacks=[log]"],
    ["callbacks=[]"],
    ["+experiment=big"],
    ["+experiment=big", "seed=8", "db.options.ssl=false"],
    ["+experiment=tuned"],
    ["+experiment=tuned", "db=mysql", "lr=3"],
    ["hydra.job.name=other", "lr=3"],
    ["hydra.job.config.override_dirname.kv_sep=_", "lr=3"],
    ["+hydra.job.env_set.X=1", "lr=3"],
    ["hydra/job_logging=none", "lr=3"],
    ["hydra={job:{name:z}}", "lr=3"],
    ["hydra.searchpath=[]", "lr=3"],
]


@pytest.fixture(scope="module")
def composer(app: App) -> Composer:
    """One composer for all lines: what it keeps of one must not show in another."""
    composer = app.composer()
    composer.compose(["seed=99"])
    return composer


def _assert_as_hydra(app: App, composer: Composer, line: list[str], times: int = 2) -> None:
    """That a composer gives what Hydra gives for a line: the same config, or the same error."""
    try:
        expected = app.by_hydra(*line)
    except Exception as error:
        for _ in range(times):
            with pytest.raises(type(error)) as caught:
                composer.compose(line)
            assert str(caught.value) == str(error)
            assert type(caught.value.__cause__) is type(error.__cause__)
        return
    seen = look(expected)
    for _ in range(times):
        found = composer.compose(line)
        assert look(found) == seen
    assert found == expected  # last, for this resolves


def _alone(composer: Composer, app: App) -> Composer:
    """What is left in another process, where the config files may be gone."""
    master: DictConfig = pickle.loads(freeze_config(app.master))
    frozen: Frozen = pickle.loads(pickle.dumps(composer.frozen))
    return Composer(master, None, frozen)


@pytest.mark.parametrize("line", [*VALUES, *STRUCTURE], ids=" ".join)
def test_a_job_gets_the_config_that_hydra_composes(app: App, composer: Composer, line: list[str]) -> None:
    _assert_as_hydra(app, composer, line)


@pytest.mark.parametrize("line", [*STRUCTURE[:3], *VALUES[::9]], ids=" ".join)
def test_a_job_gets_it_also_when_it_is_the_first_of_its_kind(app: App, line: list[str]) -> None:
    _assert_as_hydra(app, app.composer(), line)


def test_values_are_set_without_asking_hydra(app: App, composer: Composer) -> None:
    lines = [[*prefix, *line] for prefix in ([], ["db=postgresql"], ["+experiment=big"]) for line in VALUES]
    for prefix in (["db=postgresql"], ["+experiment=big"]):
        composer.compose(prefix)
    for line in lines:
        asked = app.loader.asked
        with contextlib.suppress(Exception):
            composer.compose(line)
            assert app.loader.asked == asked, line


@pytest.mark.parametrize("line", [*VALUES[::3], *STRUCTURE[::2]], ids=" ".join)
def test_what_is_frozen_composes_equally_without_the_config_files(
    app: App, composer: Composer, line: list[str]
) -> None:
    try:
        seen = look(composer.compose(line))
    except Exception:
        return
    assert look(_alone(composer, app).compose(line)) == seen


ERRORS = [
    ["nope=1"],
    ["nope.deep=1"],
    ["deep.a.nope=1"],
    ["~nope"],
    ["~lr=0.7"],
    ["+lr=3"],
    ["+deep.a.b.c=3"],
    ["lr.x=3"],
    ["numbers.7=1"],
    ["numbers.x=1"],
    ["lr=1,2"],
    ["lr=choice(1,2)"],
    ["lr=range(3)"],
    ["lr=interval(0,1)"],
    ["lr=glob(*)"],
    ["seed=2", "lr=1,2"],
    ["db=oracle"],
    ["db=[mysql,postgresql]"],
    ["db=3"],
    ["db@nowhere=mysql"],
    ["+db=postgresql"],
    ["++db=postgresql"],
    ["~db=postgresql"],
    ["~extra"],
    ["nogroup@pkg=1"],
    ["lr@pkg=1"],
    ["model=mlp", "dataset=tiny"],
    ["fit=small_cnn"],
    ["+experiment=nope"],
    ["hydra.nope=1"],
    ["hydra.job.num=x"],
    ["hydra/launcher=nope"],
    ["lr=["],
    ["lr"],
    ["=3"],
    ["lr=)"],
    ["a b=1"],
    ["lr='unclosed"],
    ["hydra.searchpath=3"],
]


@pytest.mark.parametrize("line", ERRORS, ids=" ".join)
@pytest.mark.filterwarnings("ignore:provider=")
def test_an_error_is_hydras_own(app: App, composer: Composer, line: list[str]) -> None:
    _assert_as_hydra(app, composer, line, times=1)


@pytest.mark.parametrize("line", ERRORS[::10], ids=" ".join)
@pytest.mark.filterwarnings("ignore:provider=")
def test_an_error_of_the_first_job_does_no_harm_to_the_second(app: App, line: list[str]) -> None:
    composer = app.composer()
    _assert_as_hydra(app, composer, line)
    _assert_as_hydra(app, composer, ["seed=3"])


STRUCTURED = [
    [],
    ["seed=3"],
    ["color=BLUE", "folder=c/d", "needed=1", "maybe=2"],
    ["color=2"],
    ["raw=abc"],
    ["optimizer.lr=1", "optimizer.betas=[1,2]"],
    ["optimizer={lr:5}"],
    ["optimizer.lr=3"],
    ["table={a:1}", "+table.b=2"],
    ["+table.c=3"],
    ["by_number={2:two}"],
    ["+by_color.RED=1"],
    ["free={a:[1,{b:2}]}"],
    ["free=[1]", "free=text"],
    ["maybe=null"],
    ["solver=exact"],
    ["solver=exact", "solver.limit=3", "needed=2"],
    ["solver.seed=9"],
    ["~solver"],
    ["~maybe"],
    ["twice=${color}"],
    ["seed=x"],
    ["seed=1.5"],
    ["maybe=x"],
    ["color=GREEN"],
    ["optimizer.nope=1"],
    ["+optimizer.nope=1"],
    ["optimizer=null"],
    ["optimizer={nope:1}"],
    ["table.a=x"],
    ["+table.a=x"],
    ["nope=1"],
    ["+extra=1"],
    ["seed=null"],
]


@pytest.fixture(scope="module")
def structured(make_app: MakeApp) -> tuple[App, Composer]:
    app = make_app(config_name="structured", config_dir=None)
    composer = app.composer()
    composer.compose(["seed=99"])
    assert all((app.master.hydra.sweep.dir, app.master.hydra.run.dir))
    return app, composer


@pytest.mark.parametrize("line", STRUCTURED, ids=" ".join)
def test_a_structured_app_without_a_config_directory_gets_what_hydra_composes(
    structured: tuple[App, Composer], line: list[str]
) -> None:
    app, composer = structured
    _assert_as_hydra(app, composer, line, times=1)
    with contextlib.suppress(Exception):
        seen = look(composer.compose(line))
        assert look(_alone(composer, app).compose(line)) == seen, line


@pytest.mark.parametrize("config_name", ["flat", None])
def test_an_app_without_defaults_or_without_any_config_gets_what_hydra_composes(
    make_app: MakeApp, config_name: str | None
) -> None:
    app = make_app(config_name=config_name)
    assert all((app.master.hydra.sweep.dir, app.master.hydra.run.dir))
    composer = app.composer()
    for line in ([], ["a=5"], ["+x=1"], ["~b"], ["b={c:3,d:4}"], ["+b={d:4}"]):
        _assert_as_hydra(app, composer, line, times=1)


def test_a_mandatory_group_may_be_chosen_by_the_sweep_alone(make_app: MakeApp) -> None:
    app = make_app(config_name="mandatory")
    assert all((app.master.hydra.sweep.dir, app.master.hydra.run.dir))
    composer = app.composer()
    with pytest.raises(Exception, match="You must specify 'db'"):
        composer.compose([])
    for name in ("mysql", "postgresql"):
        for port in ("1", "2"):
            _assert_as_hydra(app, composer, [f"db={name}", f"db.port={port}"])
    assert app.loader.asked == 6  # the error, first without values; and for each choice its first job and its base


def test_a_key_that_is_no_group_here_may_be_one_on_a_searchpath(make_app: MakeApp, app: App, tmp_path: Path) -> None:
    (tmp_path / "seed").mkdir()
    (tmp_path / "seed" / "five.yaml").write_text("# @package _global_\nlr: 55\n")
    path = f"hydra.searchpath=[file://{tmp_path}]"
    composer = app.composer()
    for line in (["seed=five"], [path, "+seed=five"], [path, "+seed=five", "numbers=[1]"], ["seed=five"]):
        _assert_as_hydra(app, composer, line)
    other = make_app(path)
    assert all((other.master.stamp, other.master.hydra.sweep.dir, other.master.hydra.run.dir))
    composer = other.composer()
    for line in (["+seed=five"], ["+seed=five", "lr=3"], ["seed=9"]):
        _assert_as_hydra(other, composer, line)


_VALUE_KEYS = st.sampled_from(
    ["lr", "seed", "deep.a.b.c", "deep.a", "db.host", "db.port", "numbers", "nope", "model.opt.lr", "name", "fit.batch"]
)
_VALUES = st.sampled_from(["1", "0.5", "x", "null", "[1,2]", "{c:1}", "{a:{b:{z:1}}}", "${seed}", "'q,r'", "true"])
_SET = st.builds(
    lambda sign, key, value: f"{sign}{key}={value}", st.sampled_from(["", "", "+", "++"]), _VALUE_KEYS, _VALUES
)
_DROP = st.sampled_from(["~lr", "~deep.a", "~nope", "~numbers", "~db", "~extra", "~db.user"])
_CHOOSE = st.sampled_from(
    [
        *(
            "db=postgresql",
            "db=nested",
            "model=mlp",
            "dataset=large",
            "schedule@warm=cosine",
            "+extra=one",
            "extra=two",
        ),
        *("+experiment=big", "+experiment=tuned", "hydra.job.name=x", "callbacks=[log]", "+db@second=mysql"),
    ]
)
_LINES = st.lists(st.one_of(_SET, _SET, _DROP, _CHOOSE), max_size=4)


@given(line=_LINES)
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_job_gets_what_hydra_composes(app: App, composer: Composer, line: list[str]) -> None:
    _assert_as_hydra(app, composer, line, times=1)


def test_what_the_sweep_has_resolved_is_the_same_for_all_its_jobs(make_app: MakeApp) -> None:
    app = make_app()
    composer = app.composer()
    composer.compose(["seed=1"])
    folder = app.master.hydra.sweep.dir  # resolves ${now:}, after a job was composed
    for line in (["seed=1"], ["seed=2"], ["db=postgresql"]):
        config = composer.compose(line)
        assert look(config) == look(app.by_hydra(*line))
        assert config.hydra.sweep.dir == folder


def test_composing_resolves_nothing(make_app: MakeApp) -> None:
    calls: list[Any] = []
    register("count_calls", lambda: calls.append(1))
    app = make_app("+counted=${count_calls:}")
    composer = app.composer()
    for line in (["seed=1"], ["seed=2"], ["db=postgresql", "seed=3"], ["lr=${count_calls:}"]):
        composer.compose(line)
    assert calls == []
    assert OmegaConf.get_cache(composer.compose(["seed=1"])) == OmegaConf.get_cache(app.master)


def test_a_config_can_be_changed_without_changing_the_next(app: App) -> None:
    composer = app.composer()
    for line in (["seed=1"], ["seed=2"], ["db=postgresql"]):
        for _ in range(2):
            config = composer.compose(line)
            OmegaConf.set_struct(config, False)
            config.deep.a = "changed"
            config.hydra.job.name = "changed"
            config.numbers.append(4)
        assert look(composer.compose(line)) == look(app.by_hydra(*line))


def test_flags_of_the_primary_config_are_kept(app: App) -> None:
    config = app.composer().compose(["seed=2"])
    with pytest.raises(Exception, match="nope"):
        config.nope = 1
    assert OmegaConf.is_struct(config)
    assert not OmegaConf.is_readonly(config.hydra)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {"a": 1.0}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": "1"}, {"a": 1}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": [1, 2]}, {"a": [1, 2]}, True),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({"a": "${b}", "b": 1}, {"a": 1, "b": 1}, False),
        ({"a": "${b}", "b": 1}, {"a": "${b}", "b": 1}, True),
        ({"a": "${nope}"}, {"a": "${nope}"}, True),
        ({"a": None}, {"a": None}, True),
        ({"a": None}, {"a": {}}, False),
        ({"a": "???"}, {"a": "???"}, True),
        ({"a": float("nan")}, {"a": float("nan")}, True),
        ({"a": []}, {"a": {}}, False),
        ({1: "x"}, {"1": "x"}, False),
    ],
)
def test_two_configs_are_the_same(left: Any, right: Any, same: bool) -> None:
    assert is_same_config(OmegaConf.create(left), OmegaConf.create(right)) is same


@pytest.mark.parametrize("flag", ["struct", "readonly"])
def test_configs_that_differ_in_a_flag_are_not_the_same(flag: str) -> None:
    left, right = OmegaConf.create({"a": {"b": 1}}), OmegaConf.create({"a": {"b": 1}})
    assert is_same_config(left, right)
    right.a._set_flag(flag, True)
    assert not is_same_config(left, right)


def test_a_job_gets_its_number_as_hydras_basic_launcher_gives_it(app: App) -> None:
    config = number_job(app.composer().compose(["seed=2"]), 7)
    assert (config.hydra.job.id, config.hydra.job.num) == ("7", 7)
    assert not OmegaConf.is_missing(config.hydra.job, "num")


def test_the_time_in_a_config_is_that_of_the_sweep(make_app: MakeApp) -> None:
    app = make_app()
    stamp = app.master.stamp
    composer = app.composer()
    configs = [composer.compose([f"seed={i}"]) for i in range(3)]
    assert [c.stamp for c in configs] == [stamp] * 3
    assert datetime.strptime(stamp[:8], "%Y%m%d").year > 2000


def test_a_local_class_goes_with_a_frozen_config() -> None:
    from dataclasses import dataclass

    @dataclass
    class Local:
        x: int = 1

    config = OmegaConf.create({"local": Local})
    copy: DictConfig = pickle.loads(freeze_config(config))
    assert copy == config
    with pytest.raises(Exception, match="could not be converted"):
        copy.local.x = "text"


def test_composing_leaves_hydras_own_state_alone(app: App) -> None:
    HydraConfig.instance().cfg = None
    app.composer().compose(["seed=2"])
    assert HydraConfig.instance().cfg is None
