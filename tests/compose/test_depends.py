from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from runyard.compose.depends import dependencies, has_interpolation, node_at, overlap

CONFIG = OmegaConf.create(
    {
        "a": 1,
        "b": "${a}",
        "c": "${b}-${deep.x}",
        "deep": {"x": "${.y}", "y": "${..a}", "up": "${...a}", "list": ["${a}", {"z": "${..0}"}]},
        "env": "${oc.env:HOME}",
        "now": "${now:%Y}",
        "env_of": "${oc.env:HOME,${a}}",
        "nested": "${deep.${a}}",
        "call": "${anything:1}",
        "hydras": "${hydra:job.name}",
        "hydra_too": "${hydra.job.num}",
        "through": "${b.x}",
        "missing": "${nope}",
        "below_nothing": "${nope.x}",
        "item": "${deep.list[0]}",
        "round": "${round}",
        "escaped": "\\${a}",
        "decoded": "${oc.decode:${oc.env:HOME,${a}}}",
        "select": "${oc.select:deep.x,${b}}",
        "select_part": "${oc.select:deep.x${a},1}",
        "select_here": "${oc.select:.a}",
        "env_by_name": "${oc.env:${a}}",
        "decoded_reference": "${oc.decode:${oc.env:COMPOSE_TEST_REFERENCE}}",
        "numbers": {1: "${a}", "x": "${a}"},
        "number": "${numbers.1}",
        "number_too": "${numbers.1.x}",
        "beside": "${numbers.x}",
        "hydra": {"job": {"num": "${a}"}},
    }
)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", set()),
        ("b", {"a"}),
        ("c", {"b", "a", "deep.x", "deep.y"}),
        ("deep.x", {"deep.y", "a"}),
        ("deep.y", {"a"}),
        ("env", set()),
        ("now", set()),
        ("decoded", {"a"}),
        ("select", {"deep.x", "deep.y", "a", "b"}),
        ("env_by_name", {"a"}),
        ("beside", {"numbers.x", "a"}),
        ("env_of", {"a"}),
        ("missing", {"nope"}),
        ("round", {"round"}),
        ("hydra_too", {"hydra.job.num", "a"}),
        ("nowhere", set()),
    ],
)
def test_what_a_value_depends_on(path: str, found: set[str]) -> None:
    reached = dependencies(CONFIG, tuple(path.split(".")))
    assert reached is not None
    assert {".".join(place) for place in reached} == found


@pytest.mark.parametrize(
    "path",
    [
        "number",
        "number_too",
        "nested",
        "select_part",
        "select_here",
        "call",
        "hydras",
        "through",
        "below_nothing",
        "item",
        "deep.up",
        "deep",
        "deep.list",
    ],
)
def test_what_cannot_be_told(path: str) -> None:
    assert dependencies(CONFIG, tuple(path.split("."))) is None


def test_a_variable_that_holds_an_interpolation_is_decoded_to_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    assert dependencies(CONFIG, ("decoded_reference",)) == frozenset()
    monkeypatch.setenv("COMPOSE_TEST_REFERENCE", "${a}")
    assert OmegaConf.select(CONFIG, "decoded_reference") == 1
    assert dependencies(CONFIG, ("decoded_reference",)) is None


@pytest.mark.parametrize("path", ["hydras", "hydra_too"])
def test_what_is_taken_from_hydras_node_need_not_count(path: str) -> None:
    assert dependencies(CONFIG, (path,), hydra_counts=False) == frozenset()


@pytest.mark.parametrize(
    ("path", "has"), [("a", False), ("b", True), ("deep", True), ("deep.list", True), ("nope", False), ("hydra", True)]
)
def test_whether_there_is_an_interpolation(path: str, has: bool) -> None:
    assert has_interpolation(CONFIG, tuple(path.split("."))) is has


def test_a_node_is_found_without_resolving_anything() -> None:
    assert node_at(CONFIG, ("b",))._value() == "${a}"
    assert node_at(CONFIG, ("b", "x")) is None
    assert node_at(CONFIG, ("deep", "list", "0")) is None
    assert node_at(CONFIG, ()) is CONFIG


@pytest.mark.parametrize(
    ("left", "right", "does"),
    [("a", "a", True), ("a", "a.b", True), ("a.b", "a", True), ("a.b", "a.c", False), ("ab", "a", False)],
)
def test_places_overlap(left: str, right: str, does: bool) -> None:
    assert overlap(tuple(left.split(".")), tuple(right.split("."))) is does
