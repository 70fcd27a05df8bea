"""What a part of a config depends on: the places that its interpolations lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, ListConfig, Node

Path = tuple[str, ...]
_REFERENCE = re.compile(r"\$\{(\.*)((?:[A-Za-z_][\w/-]*)(?:\.[\w/-]+)*)\}")
#: resolvers whose value does not depend on the config.
_CONSTANT = re.compile(r"\$\{(?:oc\.env|now|runyard\.sweep_id|python_version):[^${}]*\}")
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
            references = _references(text if hydra_counts else _OF_HYDRA.sub("", text), place)
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
    rest = _CONSTANT.sub("", _REFERENCE.sub("", text))
    return None if "${" in rest else found


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
