from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from omegaconf import OmegaConf

from app.workloads.airline import AirlineConfig, check, validate
from app.workloads.airline.config import settled
from runyard import UsageError


def test_the_defaults_are_valid() -> None:
    validate(AirlineConfig())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", -1),
        ("seed", 1.5),
        ("trials", 0),
        ("trials", True),
        ("trials", "many"),
        ("max_turns", 0),
        ("threshold", -0.5),
        ("threshold", float("nan")),
        ("threshold", float("inf")),
        ("threshold", "high"),
        ("suffixes", []),
        ("suffixes", "please"),
        ("suffixes", None),
    ],
)
def test_a_value_out_of_range_is_refused_by_the_name_of_its_field(field: str, value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        validate(replace(AirlineConfig(), **{field: value}))
    assert caught.value.where == f"airline.{field}"
    assert repr(value) in caught.value.what
    assert caught.value.todo


@pytest.mark.parametrize("suffix", ["", "  ", None, 3])
def test_a_suffix_that_is_no_text_is_refused(suffix: Any) -> None:
    with pytest.raises(UsageError, match="a suffix must be a text") as caught:
        validate(replace(AirlineConfig(), suffixes=["please", suffix]))
    assert caught.value.where == "airline.suffixes"


@pytest.mark.parametrize(
    ("mode", "nearest"), [("SHMI", "SHIM"), ("shim", "SHIM"), ("SEEDED", "SEEDED_SHIM"), ("real", "REAL")]
)
def test_an_unknown_mode_names_the_nearest(mode: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=f"unknown mode '{mode}'") as caught:
        validate(replace(AirlineConfig(), mode=mode))
    assert caught.value.todo == f"did you mean {nearest!r}? Known: SHIM, SEEDED_SHIM, REAL"


def test_an_unknown_mode_that_is_near_to_none_lists_all() -> None:
    with pytest.raises(UsageError) as caught:
        validate(replace(AirlineConfig(), mode="quick"))
    assert caught.value.todo == "Known: SHIM, SEEDED_SHIM, REAL"


def test_an_omegaconf_node_becomes_the_plain_configuration_and_is_checked() -> None:
    node: Any = OmegaConf.merge(OmegaConf.structured(AirlineConfig), {"suffixes": ["a", "b"], "seed": 7})
    assert settled(node) == AirlineConfig(suffixes=["a", "b"], seed=7)
    check(node)
    node.trials = 0
    with pytest.raises(UsageError, match="trials"):
        check(node)
