from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from runyard.compose.clone import clone, clone_node, set_value

from .conftest import nodes_of
from .typed import Full


def _config() -> DictConfig:
    config: DictConfig = OmegaConf.create(
        {
            "typed": Full,
            "twice": OmegaConf.structured(Full),
            "list": [1, [2, {"a": "${typed.seed}"}], None, "???"],
            "none": None,
            "ref": "${list}",
            1: {"x": 1.5},
        }
    )
    config.typed.folder = config.twice.folder = Path("shared")
    OmegaConf.set_struct(config, True)
    OmegaConf.set_readonly(config.list, True)
    OmegaConf.get_cache(config)["now"]["%Y"] = "2020"
    return config


def test_a_copy_is_what_deepcopy_makes() -> None:
    config = _config()
    copied = clone(config)
    assert list(nodes_of(copied)) == list(nodes_of(copy.deepcopy(config))) == list(nodes_of(config))
    assert OmegaConf.get_cache(copied) == {"now": {"%Y": "2020"}}
    assert copied == config


def _parents(node: Any) -> list[bool]:
    content = node.__dict__.get("_content")
    children = list(content.values()) if isinstance(content, dict) else content if isinstance(content, list) else []
    return [child._get_parent() is node for child in children] + [ok for child in children for ok in _parents(child)]


def test_every_node_of_a_copy_lies_in_the_copy() -> None:
    assert all(_parents(clone(_config())))


def test_a_copy_has_nothing_in_common_that_can_change() -> None:
    config, seen = _config(), list(nodes_of(_config()))
    copied = clone(config)
    OmegaConf.set_struct(copied, False)
    OmegaConf.set_readonly(copied.list, False)
    copied.typed.seed, copied.list[1][1].a, copied.new = 5, 6, 7
    copied.list.append(8)
    OmegaConf.get_cache(copied)["now"]["%m"] = "x"
    assert list(nodes_of(config)) == seen
    assert OmegaConf.get_cache(config) == {"now": {"%Y": "2020"}}


def test_a_path_that_two_nodes_hold_is_still_written_with_an_anchor() -> None:
    config = OmegaConf.create({"a": Path("x"), "b": Path("y")})
    config.__dict__["_content"]["b"].__dict__["_val"] = config.__dict__["_content"]["a"]._value()
    assert "&id001" in OmegaConf.to_yaml(config)
    assert OmegaConf.to_yaml(clone(config)) == OmegaConf.to_yaml(config)


def test_a_node_gets_the_parent_that_it_is_given() -> None:
    config, other = _config(), OmegaConf.create({})
    assert clone_node(config._get_node("list"), other)._get_parent() is other


def test_a_value_is_set_in_what_is_read_only() -> None:
    config = OmegaConf.structured(Full)
    OmegaConf.set_readonly(config, True)
    assert config._get_node("seed")._get_flag("readonly")
    set_value(config._get_node("seed"), "7")
    assert config.seed == 7
    assert config._get_node("seed")._get_parent() is config
    assert config._get_node("seed")._get_flag("readonly")
    with pytest.raises(Exception, match="could not be converted"):
        set_value(config._get_node("seed"), "text")
    assert config._get_node("seed")._get_parent() is config
