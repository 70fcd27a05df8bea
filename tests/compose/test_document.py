from __future__ import annotations

import copy
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

from runyard.compose.document import Document, NotPiecewiseError, bare_text, dump, plain

CONFIG = {
    "a": 1,
    "deep": {"x": {"y": "text", "z": [1, {"w": 2}]}, "empty": {}},
    "long": "a sentence that is longer than one line of the file that it is going to be dumped into, at least",
    "yes": "no",
    "last": {"k": {"end": None}},
}
PATHS = [("a",), ("deep",), ("deep", "x"), ("deep", "x", "y"), ("long",), ("yes",), ("last", "k"), ("last", "k", "end")]
_TEXTS = st.one_of(
    st.text(max_size=8), st.sampled_from(["yes", "012", "1e3", "a b", "- x", "a: b", "x\ny", "~", "w" * 99])
)
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["p", "q r"]), inner)),
    max_leaves=5,
)


def _config(**more: Any) -> DictConfig:
    return OmegaConf.create({**copy.deepcopy(CONFIG), **more})


def _with(config: DictConfig, path: tuple[str, ...], value: Any) -> DictConfig:
    changed = copy.deepcopy(config)
    OmegaConf.update(changed, ".".join(path), value, merge=False)
    return changed


@given(st.sampled_from(PATHS), _VALUES)
@settings(deadline=None, derandomize=True, max_examples=150)
def test_a_changed_entry_gives_the_text_of_the_changed_config(path: tuple[str, ...], value: Any) -> None:
    if isinstance(value, str) and ("${" in value or value == "???"):
        return  # no value, but a way to one
    document = Document(_config())
    entry = document.entry(path, value)
    assert document.with_entries({path: entry}) == OmegaConf.to_yaml(_with(_config(), path, value))


def test_several_entries_change_at_once_and_new_ones_come_last() -> None:
    document = Document(_config())
    entries = {path: document.entry(path, 7) for path in [("new",), ("a",), ("last", "more"), ("last", "k", "most")]}
    changed = _config()
    for path in entries:
        changed = _with(changed, path, 7)
    assert document.with_entries(entries) == OmegaConf.to_yaml(changed)


def test_an_entry_is_removed() -> None:
    document = Document(_config())
    changed = _config()
    del changed.deep.x.y
    assert document.with_entries({("deep", "x", "y"): ""}) == OmegaConf.to_yaml(changed)


@pytest.mark.parametrize(
    "paths", [[("last", "k")], [("deep", "x"), ("deep", "empty")], [(key,) for key in CONFIG]], ids=str
)
def test_a_mapping_does_not_lose_all_its_entries(paths: list[tuple[str, ...]]) -> None:
    with pytest.raises(NotPiecewiseError, match="without entries"):
        Document(_config()).with_entries(dict.fromkeys(paths, ""))


def test_an_empty_mapping_gets_no_entry() -> None:
    with pytest.raises(NotPiecewiseError, match="empty mapping"):
        Document(_config()).entry(("deep", "empty", "new"), "text")


@pytest.mark.parametrize("text", ["a\u2028b", "a\x85b"])
def test_other_line_breaks_are_refused(text: str) -> None:
    with pytest.raises(NotPiecewiseError, match="line breaks"):
        Document(_config(other=text))


def test_anchors_are_refused() -> None:
    path = PurePosixPath("a/b")
    config = OmegaConf.create({"a": path, "b": path}, flags={"allow_objects": True})
    with pytest.raises(NotPiecewiseError, match="anchors"):
        Document(config)


def test_what_cannot_be_read_again_is_refused() -> None:
    with pytest.raises(NotPiecewiseError, match="read again"):
        Document(_config(other="\ud800"))


@pytest.mark.parametrize(
    ("key", "has"),
    [(("a",), True), (("deep", "x", "y"), True), (("deep", "x", "z", "0"), False), (("nope",), False), (("1",), False)],
)
def test_entries_are_those_of_mappings_with_texts_as_keys(key: tuple[str, ...], has: bool) -> None:
    assert Document(_config(**{"k": {1: "one"}})).has(key) is has
    assert not Document(_config(k={1: "one"})).has(("k", "1"))


@given(st.one_of(_TEXTS, st.text("abXY01/.,=+-_ :#'\n", max_size=12), st.integers(), st.booleans(), st.floats()))
@settings(deadline=None, derandomize=True, max_examples=1000)
def test_what_is_written_bare_is_written_as_the_dumper_writes_it(value: Any) -> None:
    bare = bare_text(value)
    if bare is not None:
        assert dump({"k": value}) == f"k: {bare}\n"


@pytest.mark.parametrize(("value", "bare"), [("lr=0.1", "lr=0.1"), ("/a/b", "/a/b"), (True, "true"), (-3, "-3")])
def test_the_usual_values_are_written_bare(value: Any, bare: str) -> None:
    assert bare_text(value) == bare


@pytest.mark.parametrize("value", ["yes", "1e3", "a b", "", "???", None, 0.5, "x: 1", "${a}"])
def test_what_could_be_taken_for_something_else_is_left_to_the_dumper(value: Any) -> None:
    assert bare_text(value) is None


def test_a_plain_value_is_what_is_dumped_of_a_node() -> None:
    config = _config(ref="${a}", miss="???")
    for key in config:
        assert plain(config._get_node(key)) == OmegaConf.to_container(config)[key]
    assert config._get_node("a")._get_parent() is config


@pytest.mark.parametrize("values", [{}, {"a": 1}, {"b": {"c": [1, "x"]}, "a": None}, {"long": "word " * 40}])
def test_a_config_without_entries_gets_them(values: dict[str, Any]) -> None:
    document = Document(OmegaConf.create({}))
    entries = {(key,): document.entry((key,), value) for key, value in values.items()}
    assert document.with_entries(entries) == OmegaConf.to_yaml(OmegaConf.create(values))
