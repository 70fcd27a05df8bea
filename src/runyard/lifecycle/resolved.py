"""The exact config of a run: read from its ``.hydra``, checked against its run key, and made plain. Writes nothing.

What differs between two runs of one configuration stays as it is written: interpolations that come from the time, from
Hydra's own node or from the environment, which may hold secrets, and those of resolvers that only the application has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runyard.base import UsageError
from runyard.lifecycle.subject import Subject
from runyard.record import is_secret

_RESOLVER = re.compile(r"\$\{\s*([A-Za-z_][\w.]*)\s*:")
_VOLATILE = re.compile(r"\$\{\s*(hydra[.:]|now:|runyard\.|oc\.env:)")
_REFERENCE = re.compile(r"\$\{\s*([^:${}]+?)\s*\}")
#: groups that say how a job is run, not what it computes.
_NOT_THE_TASKS = ("runyard",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactConfig:
    """The config of a run.

    ``values`` are plain; ``choices`` the options chosen of config groups, as Hydra has them; ``unknown`` the resolvers
    that only the application knows; ``exclude`` the keys that do not count in the run key; ``key`` the run key as this
    process computes it.
    """

    values: Mapping[str, Any]
    choices: Mapping[str, Any]
    unknown: tuple[str, ...]
    exclude: tuple[str, ...]
    key: str


def exact_config(subject: Subject) -> ExactConfig:
    """The config that the run had.

    Raises:
        UsageError: its files are gone, or are not what the run had; or a secret stands in it.
    """
    from omegaconf import OmegaConf

    folder = subject.run_dir / ".hydra"
    config, hydra = _read(folder / "config.yaml"), _read(folder / "hydra.yaml")
    exclude = tuple(OmegaConf.select(hydra, "hydra.callbacks.runyard.exclude_keys", default=None) or ())
    choices = OmegaConf.select(hydra, "hydra.runtime.choices", default=None)
    texts = _texts(OmegaConf.to_container(config, resolve=False))
    unknown = tuple(sorted({n for t in texts for n in _RESOLVER.findall(t) if not _is_known(n)}))
    key = key_here(config, exclude)
    if key != subject.run.run_key and not unknown:
        raise UsageError(
            f"the config of {subject.name} is not the one that it ran with: its key is {key}, "
            f"and the record says {subject.run.run_key}",
            where=str(folder / "config.yaml"),
            todo="somebody has changed one of the two; run the job again and promote that",
        )
    values = _plain(config, config)
    _refuse_secrets(values, subject)
    return ExactConfig(
        values=values,
        choices={} if choices is None else _task_choices(OmegaConf.to_container(choices)),
        unknown=unknown,
        exclude=exclude,
        key=key,
    )


def key_here(config: Any, exclude: Sequence[str]) -> str:
    """The run key of a config that was read from text, as this process computes it."""
    from runyard.compose import run_key

    return run_key(config, exclude)


def _read(path: Path) -> Any:
    import yaml
    from omegaconf import OmegaConf

    try:
        return OmegaConf.load(path)
    except (OSError, yaml.YAMLError) as exc:
        raise UsageError(
            f"the run's config cannot be read ({exc.__class__.__name__})",
            where=str(path),
            todo="a run without its .hydra files cannot be promoted; run the job again",
        ) from exc


def _is_known(resolver: str) -> bool:
    from omegaconf import OmegaConf

    return OmegaConf.has_resolver(resolver) or _VOLATILE.match(f"${{{resolver}:") is not None


def _texts(value: Any) -> list[str]:
    """Every text in nested mappings and lists that has an interpolation."""
    if isinstance(value, Mapping):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) and "${" in value else []


def _plain(node: Any, root: Any) -> Any:
    """A container's values, resolved where that is stable; what has no value (``???``) is left out."""
    from omegaconf import DictConfig, ListConfig, OmegaConf

    if isinstance(node, DictConfig):
        if node._is_none():
            return None
        return {key: _one(node, key, root) for key in node if not OmegaConf.is_missing(node, key)}
    if isinstance(node, ListConfig):
        return None if node._is_none() else [_one(node, n, root) for n in range(len(node))]
    return node


def _one(node: Any, key: Any, root: Any) -> Any:
    from omegaconf import OmegaConf

    raw = node._get_node(key)
    text = raw._value() if raw is not None else None
    if isinstance(text, str) and "${" in text:
        if not _is_stable(text, root, frozenset()):
            return text
        value = node[key]
        return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
    return _plain(node[key], root)


def _is_stable(text: str, root: Any, seen: frozenset[str]) -> bool:
    """Whether an interpolation gives the same in every run: looks through references, to the end."""
    from omegaconf import OmegaConf

    if _VOLATILE.search(text) or any(not OmegaConf.has_resolver(name) for name in _RESOLVER.findall(text)):
        return False
    for path in _REFERENCE.findall(text):
        if path.startswith("."):
            return False  # it stays as it is written, and means the same in the promoted config
        if path not in seen and not all(_is_stable(t, root, seen | {path}) for t in _below(root, path)):
            return False
    return True


def _below(root: Any, path: str) -> list[str]:
    """The texts with interpolations at a path of the config, and below it."""
    from omegaconf import OmegaConf

    plain: Any = OmegaConf.to_container(root, resolve=False)
    for part in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(plain, str):
            break
        if isinstance(plain, list) and part.isdigit() and int(part) < len(plain):
            plain = plain[int(part)]
        elif isinstance(plain, Mapping):
            plain = plain.get(part)
    return _texts(plain)


def _task_choices(choices: Any) -> dict[str, Any]:
    """The choices of the task's own groups, in Hydra's order; how jobs are run is not promoted."""
    return {
        group: chosen
        for group, chosen in choices.items()
        if not group.startswith("hydra/") and group.split("@")[0] not in _NOT_THE_TASKS and group != "production"
    }


def _refuse_secrets(values: Mapping[str, Any], subject: Subject) -> None:
    found = [path for path, value in _leaves(values, "") if is_secret(path) and _is_text(value)]
    if found:
        raise UsageError(
            f"the config of {subject.name} holds what looks like a secret: {', '.join(found)}",
            where=str(subject.run_dir / ".hydra" / "config.yaml"),
            todo="a promoted config is a file for everybody; take the value from the environment: ${oc.env:NAME}",
        )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != "" and "${" not in value


def _leaves(value: Any, path: str) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [leaf for key, part in value.items() for leaf in _leaves(part, f"{path}.{key}" if path else str(key))]
    return [(path, value)]
