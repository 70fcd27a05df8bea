"""Fields: an application's own names in the body of ``POST /api/runs``, and what they stand for as overrides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from runyard.base import UsageError, quoted, unknown_name

#: what the body has already; a field named ``tag`` gets the same value as the record's.
OWN_FIELDS = ("overrides", "experiment", "launcher", "seeds", "max_jobs", "sweep", "wait", "timeout_s")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYS = ("overrides", "fields", "metrics_head", "summary")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What a fields file says.

    ``names``: field to override key, or to keys that all get its value. ``overrides``: words of every start that
    uses a field. ``metrics_head``: the metrics of ``metrics_head`` in answers, empty for all (the first eight).
    ``summary``: a text file of a single run's directory that is its summary.
    """

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    metrics_head: tuple[str, ...] = ()
    summary: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The override keys that the operator has given names."""
        return tuple(key.lstrip("+") for keys in self.names.values() for key in keys)

    def words(self, given: Mapping[str, Any]) -> list[str]:
        """The overrides of fields with their values, quoted so that no value can be anything but a value.

        Raises:
            UsageError: a value cannot be an override's.
        """
        used = {name: value for name, value in given.items() if value is not None}
        return [f"{key}={quoted(value)}" for name, value in used.items() for key in self.names[name]]


def read_fields(path: Path) -> Fields:
    """The fields of a YAML file with the keys ``overrides``, ``fields``, ``metrics_head``, ``summary``.

    Raises:
        UsageError: the file cannot be read, or says something else.
    """
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise UsageError(f"the fields cannot be read ({exc.strerror})", where=str(path)) from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise UsageError(f"the fields are not YAML ({exc})", where=str(path)) from exc
    if not isinstance(value, Mapping):
        raise UsageError("the fields are no mapping", where=str(path), todo=f"give the keys {', '.join(_KEYS)}")
    for key in value:
        if key not in _KEYS:
            raise unknown_name("key", str(key), _KEYS, where=str(path))
    return Fields(
        names={name: _targets(name, keys, path) for name, keys in _mapping(value.get("fields"), path).items()},
        overrides=_texts(value.get("overrides"), "overrides", path),
        metrics_head=_texts(value.get("metrics_head"), "metrics_head", path),
        summary=_inside(value.get("summary"), path),
    )


def _mapping(value: Any, path: Path) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UsageError("'fields' is no mapping", where=str(path), todo="write NAME: override.key")
    return value


def _targets(name: Any, keys: Any, path: Path) -> tuple[str, ...]:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot name a field", where=str(path), todo="use letters, digits and _")
    if name in OWN_FIELDS:
        raise UsageError(f"the field {name!r} is there already", where=str(path), todo="choose another name")
    return _texts([keys] if isinstance(keys, str) else keys, f"fields.{name}", path)


def _texts(value: Any, name: str, path: Path) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(text, str) for text in value):
        raise UsageError(f"{name!r} is no list of texts", where=str(path), todo="write [one, two]")
    return tuple(value)


def _inside(value: Any, path: Path) -> str | None:
    """A relative path that stays where it starts."""
    if value is None:
        return None
    if not isinstance(value, str) or Path(value).is_absolute() or ".." in Path(value).parts:
        raise UsageError(f"'summary' is {value!r}", where=str(path), todo="name a file inside a run's directory")
    return value
