"""Overrides applied to a config in its place, by Hydra's own function, and taken back again.

A config tree is large and an override touches little of it: what is copied is only what an override can change.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import AnyNode, DictConfig, ListConfig, Node, ValueNode
from omegaconf._utils import split_key
from omegaconf.errors import OmegaConfBaseException

from runyard.compose.clone import clone_node

Container = DictConfig | ListConfig


class NotLocalError(Exception):
    """An override reaches its place through an interpolation: what it changes lies elsewhere."""


def apply_in_place(overrides: Sequence[Override], config: DictConfig) -> None:
    """Applies overrides that set values, for good.

    Raises:
        hydra.errors.ConfigCompositionException: in Hydra's words; the config may be half changed.
    """
    for override in overrides:
        if not _set_leaf(override, config):
            ConfigLoaderImpl._apply_overrides_to_config([override], config)


_PLAIN = (bool, int, float, str)


def _set_leaf(override: Override, config: DictConfig) -> bool:
    """Sets a plain value where a leaf is already, in the way in which OmegaConf would in the end.

    Returns:
        Whether that was possible; else nothing is changed.
    """
    value = override.value()
    if override.type is not OverrideType.CHANGE or override.package is not None or type(value) not in _PLAIN:
        return False
    leaf = _leaf(config, override.key_or_group)
    if leaf is None or leaf._get_flag("readonly"):
        return False
    try:
        leaf._set_value(value)
    except OmegaConfBaseException:
        return False  # Hydra words it
    return True


def _leaf(config: DictConfig, key: str) -> ValueNode | None:
    """The leaf at a dotted key, where only mappings lead to it and its kind is that of OmegaConf's quick way."""
    at: Any = config
    for name in split_key(key):
        content = at.__dict__["_content"] if type(at) is DictConfig else None
        at = content.get(name) if type(content) is dict else None
    is_quick = isinstance(at, ValueNode) and (type(at) is AnyNode or at._metadata.ref_type is not Any)
    return at if is_quick else None


@contextmanager
def patched(config: DictConfig, overrides: Sequence[Override]) -> Iterator[None]:
    """While it lasts the config is as with the overrides; nothing of them stays.

    Raises:
        NotLocalError: it cannot be told what an override would change; the config is as before.
        hydra.errors.ConfigCompositionException: in Hydra's words; the config is as before.
    """
    undo: list[tuple[Container, Any]] = []
    cache = config._metadata.resolver_cache
    try:
        config._metadata.resolver_cache = defaultdict(dict)  # composing starts with none
        for override in overrides:
            undo.append(_shield(config, override))
            apply_in_place([override], config)
        config._metadata.resolver_cache = copy.deepcopy(cache)
        yield
    finally:
        for container, content in reversed(undo):
            container.__dict__["_content"] = content
        config._metadata.resolver_cache = cache


def _shield(config: DictConfig, override: Override) -> tuple[Container, Any]:
    """Puts a copy in the place that an override changes.

    Returns:
        The container that holds the place, and its content as it was.
    """
    container, key = _place(config, split_key(override.key_or_group))
    content = container.__dict__["_content"]
    live = content.copy()
    held = _entry(live, key)
    if held is not None:
        if content[held]._is_interpolation() and isinstance(override.value(), (dict, list)):
            raise NotLocalError(key)
        live[held] = clone_node(content[held], container)
    container.__dict__["_content"] = live
    return container, content


def _place(config: DictConfig, path: Sequence[str]) -> tuple[Container, str]:
    """The deepest container on the way that is there, and the next key."""
    at: Container = config
    for key in path[:-1]:
        held = _entry(at.__dict__["_content"], key)
        node = None if held is None else at.__dict__["_content"][held]
        if isinstance(node, Node) and node._is_interpolation():
            raise NotLocalError(key)
        if not isinstance(node, (DictConfig, ListConfig)) or node._is_none() or node._is_missing():
            return at, key
        at = node
    return at, path[-1]


def place_of(config: DictConfig, key: str) -> tuple[str, ...] | None:
    """The keys that lead to what an override of ``key`` changes, as far as there are mappings; lists are one place.

    None where a key on the way is not a text.

    Raises:
        NotLocalError: the way leads through an interpolation.
    """
    at: Any = config
    found: list[str] = []
    for name in split_key(key):
        content = at.__dict__["_content"]
        if name not in content and _entry(content, name) is not None:
            return None
        found.append(name)
        at = content.get(name)
        if isinstance(at, Node) and at._is_interpolation() and len(found) < len(split_key(key)):
            raise NotLocalError(name)
        if not isinstance(at, DictConfig) or at._is_none() or at._is_missing() or at._is_interpolation():
            break
    return tuple(found)


def _entry(content: Any, key: str) -> Any:
    """The key under which a content holds what an override names ``key``; None when it holds nothing."""
    if isinstance(content, list):
        return int(key) if key.lstrip("-").isdigit() and -len(content) <= int(key) < len(content) else None
    if key in content:
        return key
    return next((k for k in content if not isinstance(k, str) and _text(k) == key), None)


def _text(key: Any) -> str:
    return str(getattr(key, "name", key))
