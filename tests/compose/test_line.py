from __future__ import annotations

import pytest
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from runyard.compose import line as module
from runyard.compose.line import LineReader, Part


class Judge:
    """Remembers what it was asked about."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, override: Override) -> Part:
        text = str(override.input_line)
        self.asked.append(text)
        return Part(text=text, override=override, chooses=False, alone=False, refers=False, is_hydras=False)


def test_a_line_is_read_in_its_order() -> None:
    line = LineReader(Judge()).read(["b=1", "+a='x y'", "~c"])
    assert [part.text for part in line] == ["b=1", "+a='x y'", "~c"]
    assert [part.override.value() for part in line] == [1, "x y", None]


def test_each_text_is_read_once() -> None:
    judge = Judge()
    reader = LineReader(judge)
    for number in range(3):
        reader.read(["a=1", f"b={number}", "a=1"])
    assert judge.asked == ["a=1", "b=0", "b=1", "b=2"]


def test_what_is_no_override_is_hydras_error_each_time() -> None:
    reader = LineReader(Judge())
    for _ in range(2):
        with pytest.raises(HydraException):
            reader.read(["a=1", "b=["])


def test_memory_does_not_grow_with_the_number_of_texts() -> None:
    reader = LineReader(Judge())
    for number in range(module._REMEMBERED + 10):
        (part,) = reader.read([f"a={number}"])
        assert part.override.value() == number
    assert len(reader._known) <= module._REMEMBERED
