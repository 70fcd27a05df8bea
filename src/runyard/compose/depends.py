"""What a part of a config depends on: the places that its interpolations lead to."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, ListConfig, Node

Path = tuple[str, ...]
_REFERENCE = re.compile(r"\$\{(\.*)((?:[A-Za-z_][\w/-]*)(?:\.[\w/-]+)*)\}")
#: resolvers whose value depends on their arguments alone, as far as the config is concerned.
_CONSTANT = re.compile(r"\$\{(?:oc\.env|oc\.decode|now|runyard\.sweep_id|python_version):[^${}]*\}")
#: the place that is asked for, and what is taken in its stead; here that may have been an interpolation.
_SELECT = re.compile(r"\$\{oc\.select:([A-Za-z_][\w-]*(?:\.[\w-]+)*)(?:,[^${}]*)?\}")
_VARIABLE = re.compile(r"oc\.env:\s*([^,\s}]+)")
#: stands for what was seen through; no name can be made of it.
_DONE = "\0"
_OF_HYDRA = re.compile(r"\$\{hydra[:.][^${}]*\}")


def overlap(left: Path, right: Path) -> bool:
    """Whether one place lies in the other."""
    shorter = min(len(left), len(right))
    return left[:shorter] == right[:shorter]


def dependencies(config: DictConfig, path: Path, *, hydra_counts: bool = True) -> frozenset[Path] | None:
    """The places outside of ``path`` that its value depends on, however indirectly.

    None where that cannot be told: an interpolation in an interpolation, a resolver that may read anything, a way
    that leads through an interpolation or a list.

    Args:
        config: the config.
        path: the place.
        hydra_counts: False where what is taken from Hydra's own node is not resolved.
    """
    found: set[Path] = set()
    queue = [path]
    while queue:
        for place, text in _texts(config, queue.pop()):
            references = _references(text if hydra_counts else _OF_HYDRA.sub(_DONE, text), place)
            if references is None:
                return None
            for reference in references:
                if reference not in found:
                    found.add(reference)
                    if not _is_plain_way(config, reference):
                        return None
                    queue.append(reference)
    return frozenset(found)


def node_at(config: DictConfig, path: Path) -> Any:
    """The node at a place, as it is there; None where there is none."""
    node: Any = config
    for key in path:
        content = node.__dict__["_content"] if isinstance(node, DictConfig) else None
        node = content.get(key) if isinstance(content, dict) else None
    return node


def has_interpolation(config: DictConfig, path: Path) -> bool:
    """Whether there is an interpolation at or below a place."""
    return any(True for _ in _texts(config, path))


def _references(text: str, place: Path) -> list[Path] | None:
    found = []
    for dots, name in _REFERENCE.findall(text):
        if len(dots) > len(place):
            return None
        start = place[: len(place) - len(dots)] if dots else ()
        found.append((*start, *name.split(".")))
    rest, outer = "", _REFERENCE.sub(_DONE, text)
    while rest != outer:  # from the inside out
        rest = outer
        found += [tuple(name.split(".")) for name in _SELECT.findall(rest)]
        outer = _SELECT.sub(_DONE, _CONSTANT.sub(_DONE, rest))
    return None if "${" in rest or _decodes_reference(text) else found


def _decodes_reference(text: str) -> bool:
    """Whether ``oc.decode`` may find an interpolation in a variable of the environment, and resolve it."""
    return "oc.decode" in text and any("${" in os.environ.get(name, "") for name in _VARIABLE.findall(text))


def _texts(config: DictConfig, path: Path) -> Iterator[tuple[Path, str]]:
    """The interpolations at and below a place, each with its own."""
    node = node_at(config, path)
    if isinstance(node, Node):
        yield from _below(node, path)


def _below(node: Node, path: Path) -> Iterator[tuple[Path, str]]:
    content = node.__dict__["_content"] if isinstance(node, (DictConfig, ListConfig)) else node._value()
    if isinstance(content, dict):
        for key, child in content.items():
            yield from _below(child, (*path, str(key)))
    elif isinstance(content, list):
        for index, child in enumerate(content):
            yield from _below(child, (*path, str(index)))
    elif isinstance(content, str) and "${" in content:
        yield path, content


def _is_plain_way(config: DictConfig, path: Path) -> bool:
    """Whether the mappings that lead to a place are there as they are; what is not there at the end is fine.

    A key that is no text is no plain way: an interpolation may mean it by its text.
    """
    node: Any = config
    for depth, key in enumerate(path, start=1):
        content = node.__dict__["_content"]
        if not isinstance(content, dict) or (key not in content and any(not isinstance(k, str) for k in content)):
            return False
        if depth < len(path):
            node = content.get(key)
            if not isinstance(node, DictConfig) or node._is_interpolation():
                return False
    return True
