from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from runyard.compose.clone import clone
from runyard.compose.patch import NotLocalError, apply_in_place, patched, place_of

from .conftest import nodes_of
from .typed import Full


def _config() -> DictConfig:
    config: DictConfig = OmegaConf.create(
        {
            "a": 1,
            "deep": {"x": {"y": "t", "z": [1, {"w": 2}]}, "empty": {}},
            "ref": "${deep}",
            "none": None,
            "typed": Full,
            "n": {1: "one"},
        }
    )
    OmegaConf.set_struct(config, True)
    OmegaConf.get_cache(config)["now"]["%Y"] = "2020"
    return config


def _read(*texts: str) -> Sequence[Override]:
    return OverridesParser.create().parse_overrides(list(texts))


LINES = [
    ["a=2"],
    ["a=text", "a=null"],
    ["a=???"],
    ["a=${deep.x}"],
    ["a={b:1}"],
    ["deep.x.y=1", "++deep.x={q:2}"],
    ["deep.x.z=[3]"],
    ["deep.x.z.1.w=5"],
    ["~deep.x", "+deep.x=1"],
    ["+new.a.b=1", "++new.a.c=2"],
    ["+deep.empty.k=1"],
    ["++none.x=1"],
    ["typed.seed='3'", "typed.color=BLUE", "typed.folder=q", "typed.maybe=null", "typed.either=x"],
    ["typed.optimizer={lr:3}", "+typed.table.k=1", "++typed.later={lr:4}"],
    ["ref=1"],
]


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_overrides_do_in_place_what_hydra_does_and_leave_nothing(line: list[str]) -> None:
    config, expected, before = _config(), _config(), list(nodes_of(_config()))
    ConfigLoaderImpl._apply_overrides_to_config(list(_read(*line)), expected)
    with patched(config, _read(*line)):
        assert list(nodes_of(config)) == list(nodes_of(expected))
        OmegaConf.get_cache(config)["now"]["%m"] = "01"
    assert list(nodes_of(config)) == before
    assert OmegaConf.get_cache(config) == {"now": {"%Y": "2020"}}
    apply_in_place(_read(*line), config)
    assert list(nodes_of(config)) == list(nodes_of(expected))


@pytest.mark.parametrize("line", [["nope=1"], ["a=2", "deep.x.nope=1"], ["~nope"], ["+a=3"], ["typed.seed=x"]])
def test_an_error_is_hydras_and_leaves_nothing(line: list[str]) -> None:
    config, before = _config(), list(nodes_of(_config()))
    with pytest.raises(Exception) as expected:
        ConfigLoaderImpl._apply_overrides_to_config(list(_read(*line)), clone(config))
    with pytest.raises(type(expected.value)) as caught, patched(config, _read(*line)):
        pass
    assert str(caught.value) == str(expected.value)
    assert list(nodes_of(config)) == before


def test_an_error_of_the_one_who_looks_leaves_nothing() -> None:
    config, before = _config(), list(nodes_of(_config()))
    with pytest.raises(KeyError), patched(config, _read("a=2")):
        raise KeyError
    assert list(nodes_of(config)) == before


@pytest.mark.parametrize("text", ["ref.x=1", "++ref.x.y=1", "ref={x:1}"])
def test_a_way_through_an_interpolation_is_refused(text: str) -> None:
    config, before = _config(), list(nodes_of(_config()))
    with pytest.raises(NotLocalError), patched(config, _read(text)):
        pass
    assert list(nodes_of(config)) == before


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("a", ("a",)),
        ("deep.x.y", ("deep", "x", "y")),
        ("deep[x][y]", ("deep", "x", "y")),
        ("deep.x.z.1.w", ("deep", "x", "z")),
        ("deep.new.er", ("deep", "new")),
        ("new.a", ("new",)),
        ("none.x", ("none",)),
        ("a.b", ("a",)),
        ("ref", ("ref",)),
        ("typed.later.lr", ("typed", "later")),
        ("n.1", None),
    ],
)
def test_the_place_that_a_key_changes(key: str, place: Any) -> None:
    assert place_of(_config(), key) == place


def test_a_key_beyond_an_interpolation_has_no_place() -> None:
    with pytest.raises(NotLocalError):
        place_of(_config(), "ref.x")
