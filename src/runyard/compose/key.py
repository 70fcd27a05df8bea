"""The run key: the hash that names a configuration, and the folder that Hydra would give its job."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from runyard.base import digest

#: the rule's version: it changes when the same config would get another hash.
RULE = "1"
_VOLATILE = ("${now:", "${hydra:", "${hydra.", "${runyard.")


def run_key(config: DictConfig, exclude: Collection[str] = ()) -> str:
    """Hash of the task's resolved config, in 2 + 32 characters: equal for equal configs, in every sweep.

    Values that differ between two runs of one configuration are taken as they are written, unresolved: those that
    refer to the time, to Hydra's own node, or that cannot be resolved here.

    Args:
        config: a composed config; its ``hydra`` node is left out.
        exclude: dotted keys to leave out.
    """
    plain = _task_container(config)
    for key in exclude:
        _drop(plain, key.split("."))
    return f"{RULE}-{digest({'rule': RULE, 'config': plain})[:32]}"


def _task_container(config: DictConfig) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key in config:
        if key != "hydra":
            plain[str(key)] = _value(config, key)
    return plain


def _value(node: DictConfig | ListConfig, key: Any) -> Any:
    """A value, resolved where that is stable. Looks at it unresolved first."""
    raw = node._get_node(key)
    if isinstance(raw, DictConfig) and not raw._is_interpolation() and not raw._is_missing() and not raw._is_none():
        return {str(k): _value(raw, k) for k in raw}
    if isinstance(raw, ListConfig) and not raw._is_interpolation() and not raw._is_missing() and not raw._is_none():
        return [_value(raw, i) for i in range(len(raw))]
    text = raw._value() if raw is not None and hasattr(raw, "_value") else raw
    if isinstance(text, str) and ("${" in text or text == "???"):
        if any(mark in text for mark in _VOLATILE) or text == "???":
            return text
        try:
            value = node[key]
        except (OmegaConfBaseException, KeyError, ValueError, TypeError):
            return text
        return OmegaConf.to_container(value, resolve=False) if OmegaConf.is_config(value) else _jsonable(value)
    return _jsonable(text)


def _jsonable(value: Any) -> Any:
    """JSON's own kinds and what ``digest`` knows stay; anything else is named by its text."""
    if value is None or isinstance(value, (bool, int, float, str, bytes)) or hasattr(value, "name"):
        return value
    return str(value)


def _drop(plain: Any, path: list[str]) -> None:
    for part in path[:-1]:
        plain = plain.get(part) if isinstance(plain, dict) else None
    if isinstance(plain, dict):
        plain.pop(path[-1], None)


def output_dir(config: DictConfig, *, single: bool = False) -> str:
    """The folder that Hydra's ``run_job`` would make for a job, absolute.

    Raises:
        omegaconf.errors.OmegaConfBaseException: ``hydra.sweep.dir`` or ``subdir`` cannot be resolved.
    """
    before = HydraConfig.instance().cfg
    HydraConfig.instance().cfg = config  # type: ignore[assignment]  # for ${hydra:...}; set_config would copy it all
    try:
        if single:
            return os.path.abspath(str(OmegaConf.select(config, "hydra.run.dir")))
        folder = str(OmegaConf.select(config, "hydra.sweep.dir"))
        return os.path.abspath(os.path.join(folder, str(OmegaConf.select(config, "hydra.sweep.subdir"))))
    finally:
        HydraConfig.instance().cfg = before
