from __future__ import annotations

import math

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runyard.compose import OverrideReader
from runyard.compose.reader import plain_override

PARSER = OverridesParser.create()
KEY = st.from_regex(r"[+]{0,3}[A-Za-z_.0-9/@~]{1,8}", fullmatch=True)
VALUE = st.one_of(
    st.from_regex(r"-?[0-9_.eE]{1,10}", fullmatch=True),
    st.integers().map(str),
    st.floats().map(repr),
    st.sampled_from(["true", "False", "NULL", "nan", "Inf", "-inf", "on", "no", "None", "", "a b", "a,b", "é", "007"]),
    st.text(alphabet="aZ_09.-+ '\"[]{}(),:\\$%é", max_size=8),
    st.from_regex(r"[A-Za-z_]\w{0,8}", fullmatch=True),
)


@given(KEY, VALUE)
@settings(max_examples=3000, deadline=None, derandomize=True)
@example("a", "1")
@example("+a.b", "-0")
@example("++x_1.y", "0.25")
@example("model", "big_2")
@example("a", "nan")
def test_what_is_read_the_quick_way_is_what_hydras_parser_reads(key: str, value: str) -> None:
    text = f"{key}={value}"
    quick = plain_override(text)
    if quick is None:
        return
    parsed = PARSER.parse_override(text)
    assert quick == parsed
    assert type(quick.value()) is type(parsed.value())
    assert quick.get_key_element() == parsed.get_key_element()
    assert quick.get_value_element_as_str() == parsed.get_value_element_as_str()


@pytest.mark.parametrize("text", ["lr=0.1", "seed=3", "+a.b=-2", "++model.size=big", "n=10"])
def test_the_usual_overrides_are_read_the_quick_way(text: str) -> None:
    assert plain_override(text) is not None


@pytest.mark.parametrize("text", ["a=1,2", "a=[1]", "a=true", "a=nan", "~a", "a@b=c", "a/b=c", "a=1e-3", "a=007", "a="])
def test_whatever_else_hydra_reads_is_left_to_its_parser(text: str) -> None:
    assert plain_override(text) is None
    read, parsed = OverrideReader().read(text), PARSER.parse_override(text)
    same = read == parsed or (isinstance(parsed.value(), float) and math.isnan(parsed.value()))
    assert same
