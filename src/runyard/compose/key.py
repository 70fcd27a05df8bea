"""The run key: the hash that names a configuration, and the folder that Hydra would give its job."""

from __future__ import annotations

import copy
import hashlib
import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from pathlib import PurePath
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, ListConfig, Node, OmegaConf
from omegaconf.basecontainer import BaseContainer
from omegaconf.errors import OmegaConfBaseException

from runyard.base import canonical_json, canonical_key

#: the rule's version: it changes when the same config would get another hash.
RULE = "1"
_VOLATILE = re.compile(r"now$|hydra|runyard\.")
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def run_key(config: DictConfig, exclude: Collection[str] = ()) -> str:
    """Hash of the task's resolved config, in 2 + 32 characters: equal for equal configs, in every sweep.

    Values that differ between two runs of one configuration are taken as they are written, unresolved: those that
    come, however indirectly, from the time or from Hydra's own node, or that cannot be resolved here.

    Args:
        config: a composed config; its ``hydra`` node is left out.
        exclude: dotted keys to leave out.
    """
    with only_what_is_stable(config):
        entries = {key: text for key in config if (text := entry_json(config, key, exclude)) is not None}
    return key_of_entries(entries)


def entry_json(config: DictConfig, key: Any, exclude: Collection[str] = ()) -> str | None:
    """The part of the run key's text that one top-level key of the config gives; None when it is left out.

    Call it inside ``only_what_is_stable``.
    """
    plain = {key: _value(config, key, (config,))}
    for name in exclude:
        _drop(plain, name.split("."))
    return canonical_json(plain)[1:-1] if plain else None


def key_of_entries(entries: Mapping[Any, str]) -> str:
    """The run key of a config whose top-level keys give these texts."""
    config = ",".join(text for _, text in sorted((canonical_key(key), text) for key, text in entries.items()))
    text = f'{{"config":{{{config}}},"rule":"{RULE}"}}'
    return f"{RULE}-{hashlib.sha256(text.encode('ascii')).hexdigest()[:32]}"


@contextmanager
def only_what_is_stable(config: DictConfig) -> Iterator[None]:
    """While it lasts the config has no ``hydra`` node, and what asks for it or for the time cannot be resolved.

    Nothing that is resolved meanwhile stays in the config's cache.
    """
    inner, resolvers, metadata = config.__dict__, BaseContainer._resolvers, config._metadata
    content, cache = inner["_content"], metadata.resolver_cache
    volatile = {name: resolver for name, resolver in resolvers.items() if _VOLATILE.match(name)}
    inner["_content"] = {key: value for key, value in content.items() if key != "hydra"}
    metadata.resolver_cache = copy.deepcopy(cache)
    resolvers.update(dict.fromkeys(volatile, _refuse))
    try:
        yield
    finally:
        resolvers.update(volatile)
        inner["_content"], metadata.resolver_cache = content, cache


def _refuse(*_: Any) -> Any:
    raise ValueError("differs between two runs of one configuration")


def _value(node: DictConfig | ListConfig, key: Any, above: tuple[Any, ...]) -> Any:
    """A value, resolved where that is stable. ``above`` are the containers that lead to it."""
    raw: Any = node._get_node(key)
    if _is_open(raw):
        return _open(raw, above)
    text = raw
    while isinstance(text, Node):
        text = text._value()
    if not isinstance(text, str) or "${" not in text:
        return _jsonable(text)
    try:
        value = node[key]
    except (OmegaConfBaseException, RecursionError, KeyError, ValueError, TypeError):
        return text
    if not OmegaConf.is_config(value):
        return _jsonable(value)
    return text if any(value is container for container in above) else _open(value, above)


def _is_open(node: Any) -> bool:
    is_container = isinstance(node, (DictConfig, ListConfig))
    return is_container and not (node._is_interpolation() or node._is_missing() or node._is_none())


def _open(node: DictConfig | ListConfig, above: tuple[Any, ...]) -> Any:
    path = (*above, node)
    if isinstance(node, DictConfig):
        return {key: _value(node, key, path) for key in node}
    return [_value(node, index, path) for index in range(len(node))]


def _jsonable(value: Any) -> Any:
    """JSON's own kinds and what ``digest`` knows stay; anything else is named by its text."""
    if value is None or isinstance(value, (bool, int, float, str, bytes, Enum, PurePath)):
        return value
    return _ADDRESS.sub("", str(value))


def _drop(plain: Any, path: list[str]) -> None:
    """Takes out what lies at a path. A part of it names the key that is written so, be that a text or a number."""
    if not isinstance(plain, dict):
        return
    for key in [key for key in plain if str(key) == path[0]]:
        if len(path) > 1:
            _drop(plain[key], path[1:])
        else:
            del plain[key]


def output_dir(config: DictConfig, *, single: bool = False, subdir: str | None = None) -> str:
    """The folder that Hydra's ``run_job`` would make for a job, absolute.

    Args:
        config: the job's config.
        single: of a run that is no multirun.
        subdir: in the place of ``hydra.sweep.subdir``.

    Raises:
        omegaconf.errors.OmegaConfBaseException: ``hydra.sweep.dir`` or ``subdir`` cannot be resolved.
    """
    before = HydraConfig.instance().cfg
    HydraConfig.instance().cfg = config  # type: ignore[assignment]  # for ${hydra:...}; set_config would copy it all
    try:
        if single:
            return os.path.abspath(str(OmegaConf.select(config, "hydra.run.dir")))
        folder = str(OmegaConf.select(config, "hydra.sweep.dir"))
        last = subdir if subdir is not None else str(OmegaConf.select(config, "hydra.sweep.subdir"))
        return os.path.abspath(os.path.join(folder, last))
    finally:
        HydraConfig.instance().cfg = before
