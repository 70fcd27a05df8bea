from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

from runyard.compose import output_dir, run_key

from .conftest import IS_OMEGACONF_2_4, App, MakeApp, register


class Color(Enum):
    RED = 1
    BLUE = 2


#: OmegaConf 2.4 refuses a number and its text as keys of one mapping.
_MAY_MIX_KEYS = not IS_OMEGACONF_2_4


def _key(values: Any, *exclude: str) -> str:
    return run_key(OmegaConf.create(values), exclude)


def test_a_key_is_the_rules_version_and_32_digits() -> None:
    assert re.fullmatch("1-[0-9a-f]{32}", _key({"a": 1}))


def test_a_key_stays_the_same_over_versions() -> None:
    assert _key({"lr": 0.1, "seed": [1, 2], "db": {"host": "x"}}) == "1-9f4b5cbf6dfd34c5737cde7d21ee7904"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": "${b}", "b": 2}, {"a": 2, "b": 2}),
        ({"a": "${.b}", "b": 2}, {"a": "${b}", "b": 2}),
        ({"a": "x${b}y", "b": 2}, {"a": "x2y", "b": 2}),
        ({"a": "${b}", "b": {"c": 1}}, {"a": {"c": 1}, "b": {"c": 1}}),
        ({"a": "${b}", "b": {"c": "${d}"}, "d": 3}, {"a": {"c": 3}, "b": {"c": 3}, "d": 3}),
        ({"a": "${b}", "b": "${c}", "c": 3}, {"a": 3, "b": 3, "c": 3}),
        ({"a": "${b}", "b": [1, "${c}"], "c": 3}, {"a": [1, 3], "b": [1, 3], "c": 3}),
        ({"a": {"b": "${..c}"}, "c": 1}, {"a": {"b": 1}, "c": 1}),
        ({"a": "${${b}}", "b": "c", "c": 5}, {"a": 5, "b": "c", "c": 5}),
        ({"a": "${oc.env:RUNYARD_TEST_VALUE}"}, {"a": "from the environment"}),
        ({"a": "${oc.create:{x:1}}"}, {"a": {"x": 1}}),
        ({"a": 1e-3}, {"a": 0.001}),
        ({"a": Color.RED}, {"a": "RED"}),
        ({"a": Path("x/y")}, {"a": "x/y"}),
        ({"a": 1, "hydra": {"job": {"num": 1}}}, {"a": 1, "hydra": {"job": {"num": 2}}}),
        ({"a": 1, "hydra": {"x": 1}}, {"a": 1}),
        ({"a": r"\${b}"}, {"a": r"\${b}", "hydra": 1}),
    ],
)
def test_equal_configs_have_one_key_however_they_are_written(
    left: Any, right: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNYARD_TEST_VALUE", "from the environment")
    assert _key(left) == _key(right)


def test_configs_that_differ_have_different_keys() -> None:
    configs: list[Any] = [
        {},
        {"a": 1},
        {"a": 2},
        {"a": 1.0},
        {"a": True},
        {"a": "1"},
        {"a": None},
        {"a": "None"},
        {"a": "???"},
        {"a": []},
        {"a": {}},
        {"a": [1]},
        {"a": [1, 2]},
        {"a": [2, 1]},
        {"a": {"b": 1}},
        {"b": 1},
        {"a": 1, "b": None},
        {1: "x"},
        {"1": "x"},
        *([{1: "x", "1": "y"}, {1: "y", "1": "x"}] if _MAY_MIX_KEYS else []),
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": b"x"},
        {"a": "x"},
        {"a": "${b}", "b": 1},
        {"a": "${b}", "b": 2},
        {"a": "${nope}"},
        {"a": "${now:%H}"},
        {"a": "${now:%M}"},
        {"a": Color.RED},
        {"a": Color.BLUE},
    ]
    keys = [_key(config) for config in configs]
    for (i, left), (j, right) in itertools.combinations(enumerate(keys), 2):
        assert left != right, (configs[i], configs[j])


_CONFIGS = st.recursive(
    st.integers(-3, 3) | st.booleans() | st.none() | st.sampled_from(["x", "y", "", "0"]) | st.sampled_from([0.5, 1.0]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


def _typed(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _typed(v) for k, v in value.items()}
    return [_typed(v) for v in value] if isinstance(value, list) else (type(value), value)


@given(st.dictionaries(st.sampled_from("abc"), _CONFIGS), st.dictionaries(st.sampled_from("abc"), _CONFIGS))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_keys_are_equal_exactly_when_configs_are(left: Any, right: Any) -> None:
    assert (_key(left) == _key(right)) is (_typed(left) == _typed(right))


@pytest.fixture
def _in_a_job() -> Iterator[None]:
    """As in a job's process, where ``${hydra:...}`` can be resolved."""
    HydraConfig.instance().cfg = OmegaConf.create({"hydra": {"job": {"num": 7, "name": "x"}}})  # type: ignore[assignment]
    yield
    HydraConfig.instance().cfg = None


@pytest.mark.usefixtures("_in_a_job")
@pytest.mark.parametrize(
    "values",
    [
        {"a": "${now:%f}"},
        {"a": "x-${now:%f}"},
        {"a": "${b}", "b": "${now:%f}"},
        {"a": "${b}", "b": {"c": "${now:%f}"}},
        {"a": "${b.c}", "b": {"c": "${d}"}, "d": "${now:%f}"},
        {"a": ["${now:%f}"]},
        {"a": "${oc.select:b}", "b": "${now:%f}"},
        {"a": "${oc.create:{x:${b}}}", "b": "${now:%f}"},
        {"a": "${hydra:job.num}"},
        {"a": "${b}", "b": "${hydra:job.num}"},
        {"a": "${hydra.job.num}"},
        {"a": "${b}", "b": "x${hydra.job.num}"},
        {"a": "${b}", "b": {"c": "${hydra.job.num}"}},
        {"a": "${hydra}"},
        {"a": "${b}", "b": "${runyard.sweep_id:}"},
        {"a": "${oc.select:hydra.job.num}"},
    ],
)
def test_what_differs_between_two_runs_of_one_configuration_does_not_disturb_the_key(values: dict[str, Any]) -> None:
    keys = set()
    for number in range(3):
        HydraConfig.instance().cfg.hydra.job.num = number  # type: ignore[union-attr]
        keys.add(_key({**values, "hydra": {"job": {"num": number, "id": f"id{number}"}}}))
    assert len(keys) == 1
    assert keys != {_key({"other": 1})}


@pytest.mark.parametrize(
    "values",
    [
        {"a": "${nope}"},
        {"a": "${nope:x}"},
        {"a": "${b}", "b": "???"},
        {"a": "${oc.env:RUNYARD_NOT_SET}"},
        {"a": "${b}", "b": "${a}"},
        {"a": "${a}"},
        {"a": {"b": "${a}"}},
        {"a": {"b": ["${a.b}"]}},
        {"a": "${failing:}"},
        {"a": "${objects:}"},
        {"a": "???"},
    ],
)
def test_what_cannot_be_resolved_is_taken_as_it_is_written(values: dict[str, Any]) -> None:
    register("failing", lambda: 1 / 0)
    register("objects", object)
    assert _key(values) == _key(values)
    assert _key(values) != _key({**values, "c": 1})


@pytest.mark.parametrize(
    ("exclude", "left", "right"),
    [
        (["seed"], {"a": 1, "seed": 1}, {"a": 1, "seed": 2}),
        (["seed"], {"a": 1, "seed": 1}, {"a": 1}),
        (["a.b"], {"a": {"b": 1, "c": 2}}, {"a": {"b": 9, "c": 2}}),
        (["a"], {"a": {"b": 1, "c": 2}}, {}),
        (["a", "b.c"], {"a": 1, "b": {"c": 2}}, {"a": 3, "b": {"c": 4}}),
        (["nope", "a.nope", "a.b.c.d", "l.0"], {"a": 1, "l": [1]}, {"a": 1, "l": [1]}),
        (["1"], {1: "x", "a": 1}, {1: "y", "a": 1}),
    ],
)
def test_excluded_keys_do_not_count(exclude: list[str], left: Any, right: Any) -> None:
    assert _key(left, *exclude) == _key(right, *exclude)


def test_what_is_not_excluded_counts() -> None:
    assert _key({"a": {"b": 1, "c": 2}}, "a.b") != _key({"a": {"b": 1, "c": 3}}, "a.b")


def test_a_key_leaves_the_config_as_it_was() -> None:
    config = OmegaConf.create({"hydra": {"x": 1}, "a": "${cached:}", "b": "${now:%f}", "c": {"d": "${a}"}})
    register("cached", lambda: 1, use_cache=True)
    OmegaConf.set_struct(config, True)
    before = OmegaConf.to_yaml(config)
    run_key(config)
    assert OmegaConf.to_yaml(config) == before
    assert list(config) == ["hydra", "a", "b", "c"]
    assert dict(OmegaConf.get_cache(config)) == {}
    assert OmegaConf.create({"x": "${now:%Y}"}).x.startswith("20")


def test_a_value_that_the_sweep_has_resolved_is_that_value() -> None:
    count = itertools.count()
    register("counted", lambda: next(count), use_cache=True)
    config = OmegaConf.create({"a": "${counted:}"})
    assert config.a == 0
    assert run_key(config) == run_key(config) == _key({"a": 0})


@dataclass
class _Typed:
    lr: float = 0.1
    color: Color = Color.RED
    folder: Path = Path("x")


def test_a_structured_config_and_a_plain_one_of_equal_values_have_one_key() -> None:
    structured: DictConfig = OmegaConf.structured(_Typed)
    structured.lr = 1
    assert run_key(structured) == _key({"lr": 1.0, "color": "RED", "folder": "x"})


_SHOW = """
import sys
sys.path.insert(0, sys.argv[1])
from omegaconf import OmegaConf
from runyard.compose import run_key
print(run_key(OmegaConf.create({"b": {"z": 1, "a": "${x}"}, "x": [1.5, None, "ü"], "now": "${now:%f}"})))
"""


def test_a_key_is_the_same_in_every_process() -> None:
    keys = set()
    for seed in ("0", "1", "random"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", _SHOW, "."], capture_output=True, text=True, check=True, env=environment
        )
        keys.add(done.stdout.strip())
    assert keys == {_key({"x": [1.5, None, "ü"], "now": "${now:%f}", "b": {"a": "${x}", "z": 1}})}


def test_jobs_of_two_sweeps_have_one_key_when_their_values_are_equal(make_app: MakeApp, app: App) -> None:
    first = run_key(app.composer().compose(["lr=0.2", "db=mysql"]))
    other = make_app("lr=0.2")
    assert run_key(other.composer().compose(["lr=0.2"])) == first
    assert run_key(other.composer().compose(["++lr=0.2", "db=mysql", "hydra.job.name=x"])) == first
    assert run_key(other.composer().compose(["lr=0.3"])) != first


@pytest.mark.parametrize(
    ("overrides", "single", "folder"),
    [
        (["hydra.sweep.dir=out", "hydra.sweep.subdir=x"], False, "out/x"),
        (["hydra.sweep.dir=/abs", "hydra.sweep.subdir='${hydra.job.num}'"], False, "/abs/3"),
        (["hydra.sweep.dir=out", "hydra.sweep.subdir='${hydra:job.num}'"], False, "out/3"),
        (["hydra.sweep.dir=out", "hydra.sweep.subdir='${seed}/../x'"], False, "out/x"),
        (["hydra.run.dir=single"], True, "single"),
    ],
)
def test_the_folder_is_the_one_that_hydra_makes(
    app: App, overrides: list[str], single: bool, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = app.by_hydra(*overrides)
    config.hydra.job.num = 3
    assert output_dir(config, single=single) == str(tmp_path / folder)
    assert HydraConfig.instance().cfg is None
