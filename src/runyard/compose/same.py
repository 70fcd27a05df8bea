"""Whether two configs are the same in everything that a task can see."""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig, ListConfig, Node, OmegaConf


def is_same_config(left: DictConfig, right: DictConfig) -> bool:
    """Whether two configs hold the same values, types and flags in the same order, and have resolved the same so far.

    Resolves nothing: a resolver may be slow, or give another value each time.
    """
    return OmegaConf.get_cache(left) == OmegaConf.get_cache(right) and _is_same(left, right)


def _is_same(left: Any, right: Any) -> bool:
    if not isinstance(left, Node):
        return type(left) is type(right) and bool(left == right or repr(left) == repr(right) == "nan")
    if type(left) is not type(right) or left._metadata != right._metadata:
        return False
    ours, theirs = _content(left), _content(right)
    if isinstance(ours, dict):
        return (
            isinstance(theirs, dict)
            and list(ours) == list(theirs)
            and all(_is_same(value, theirs[key]) for key, value in ours.items())
        )
    if isinstance(ours, list):
        return (
            isinstance(theirs, list)
            and len(ours) == len(theirs)
            and all(_is_same(*pair) for pair in zip(ours, theirs, strict=True))
        )
    return _is_same(ours, theirs)


def _content(node: Node) -> Any:
    return node._content if isinstance(node, (DictConfig, ListConfig)) else node._value()
