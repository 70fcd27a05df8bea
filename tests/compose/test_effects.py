from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from runyard.compose.effects import Effects
from runyard.compose.line import Line, LineReader, Part
from runyard.compose.patch import NotLocalError

CONFIG = OmegaConf.create(
    {"a": 1, "b": {"x": 1, "y": "${a}"}, "ref": "${a}", "way": "${b}", "list": ["${a}", 1], "n": {1: "one"}}
)
READER = LineReader(
    lambda override: Part(
        text=str(override.input_line),
        override=override,
        chooses=False,
        alone=False,
        refers="$" in str(override.input_line),
        is_hydras=False,
    )
)


def _line(*texts: str) -> Line:
    return READER.read(texts)


@pytest.mark.parametrize(
    "line",
    [
        ["a=2"],
        ["ref=2"],
        ["+new=1", "a=${b.x}"],
        ["~a"],
        ["~b"],
        ["~b.x"],
        ["+b={z:1}"],
        ["b={z:1}"],
        ["++ref=3"],
        ["~a=1"],
        ["a=1", "a=2", "b.x=${a}"],
        ["n.1=uno"],
        [],
    ],
    ids=" ".join,
)
def test_overrides_that_need_no_other(line: list[str]) -> None:
    assert Effects(CONFIG).is_local(_line(*line))


@pytest.mark.parametrize(
    "line",
    [
        ["+ref=2"],
        ["~ref"],
        ["~ref=1"],
        ["~b={x:1,y:1}"],
        ["~b.y"],
        ["way.x=1"],
        ["way={x:1}"],
        ["~list.0"],
        ["a=${b.x}", "+a=3"],
        ["b=${a}", "b.x=1"],
        ["a=2", "~way.x"],
    ],
    ids=" ".join,
)
def test_overrides_that_may_do_otherwise_beside_others(line: list[str]) -> None:
    assert not Effects(CONFIG).is_local(_line(*line))


def _places(*texts: str) -> list[tuple[str, list[str]]]:
    changes = Effects(CONFIG).changes(_line(*texts))
    return [(".".join(change.place), [part.text for part in change.parts]) for change in changes]


def test_overrides_are_gathered_by_the_place_that_they_change() -> None:
    assert _places("b.x=1", "a=2", "b={z:3}") == [("b", ["b.x=1", "b={z:3}"]), ("a", ["a=2"])]
    assert _places("b.x=1", "a=2", "b.y=4", "b={z:3}") == [("b", ["b.x=1", "b.y=4", "b={z:3}"]), ("a", ["a=2"])]


def test_a_new_entry_has_the_place_of_its_first_override() -> None:
    assert _places("+k.x=1", "+m=2", "+k.y=3") == [("k", ["+k.x=1", "+k.y=3"]), ("m", ["+m=2"])]


def test_a_key_that_is_no_text_has_no_place() -> None:
    (part,) = _line("n.1=uno")
    assert Effects(CONFIG).place(part) is None
    with pytest.raises(NotLocalError):
        Effects(CONFIG).changes([part])
