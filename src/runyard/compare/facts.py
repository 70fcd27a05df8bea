"""Facts in which sides differ: config, code, environment. Reads config files; judges nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from runyard.analyze import LoadedSweep, cell_text
from runyard.base import RecordError, compact_json
from runyard.compare.side import Side
from runyard.record import SweepPaths, with_provenance

Kind = Literal["config", "code", "environment"]
_MOST_VALUES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that is not the same on all sides: a text for each side, empty where a side does not have it."""

    kind: Kind
    name: str
    values: tuple[str, ...]


def facts_of(sides: Sequence[Side]) -> list[Fact]:
    """In what the sides differ, by kind and name.

    A sweep's config is the one that all its jobs start from, with the values that were swept in their place.

    Raises:
        RecordError: a config file is there and cannot be read.
    """
    kinds: tuple[tuple[Kind, list[dict[str, str]]], ...] = (
        ("config", [_config(side) for side in sides]),
        ("code", [_provenance(side, _code) for side in sides]),
        ("environment", [_provenance(side, _environment) for side in sides]),
    )
    return [fact for kind, told in kinds for fact in _different(kind, told)]


def _different(kind: Kind, told: Sequence[Mapping[str, str]]) -> Iterator[Fact]:
    for name in dict.fromkeys(name for one in told for name in one):
        values = tuple(one.get(name, "") for one in told)
        if len(set(values)) > 1:
            yield Fact(kind=kind, name=name, values=values)


def _config(side: Side) -> dict[str, str]:
    """Every key of the config with the values that it takes on this side."""
    values: dict[str, dict[str, None]] = {}
    for loaded in side.sweeps:
        swept = _swept(side, loaded)
        base = dict(_flat(_read_config(side, loaded)))
        for name, texts in (swept | {k: [v] for k, v in base.items() if k not in swept}).items():
            values.setdefault(name, {}).update(dict.fromkeys(texts))
    return {name: _listed(list(texts)) for name, texts in values.items()}


def _swept(side: Side, loaded: LoadedSweep) -> dict[str, list[str]]:
    """The swept names, as they are in a config, each with its values on this side."""
    rows = [at for at, run in enumerate(loaded.runs) if side.job is None or run.job == side.job]
    return {
        name.lstrip("+"): list(dict.fromkeys(cell_text(loaded.table.columns[name][at]) for at in rows))
        for name in loaded.names
    }


def _read_config(side: Side, loaded: LoadedSweep) -> Mapping[str, Any]:
    path = SweepPaths(loaded.dir).config_yaml
    if side.job is not None:
        path = Path(side.runs[0].run_dir) / ".hydra" / "config.yaml"
    try:
        config = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise RecordError(path, f"cannot be read ({error})") from error
    return config if isinstance(config, Mapping) else {}


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Dotted keys and the texts of their values; a list is one value."""
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from _flat(part, f"{prefix}.{key}" if prefix else str(key))
    elif prefix:
        is_plain = value is None or isinstance(value, (bool, int, float, str))
        yield prefix, ("null" if value is None else cell_text(value)) if is_plain else compact_json(value)


def _provenance(side: Side, facts: Any) -> dict[str, str]:
    values: dict[str, dict[str, None]] = {}
    for provenance in _provenances(side):
        for name, text in facts(provenance):
            values.setdefault(name, {})[text] = None
    return {name: _listed(list(texts)) for name, texts in values.items()}


def _provenances(side: Side) -> Iterator[Mapping[str, Any]]:
    """Of the sweeps, and of those runs that have one of their own."""
    for loaded in side.sweeps:
        if side.job is None:
            yield loaded.sweep.provenance
    for run in side.runs:
        whole = with_provenance(run) if side.job is not None else run
        if whole.provenance:
            yield whole.provenance


def _code(provenance: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    git = _mapping(provenance.get("git"))
    yield "commit", str(git.get("sha") or "none")[:12]
    if git.get("branch"):
        yield "branch", str(git["branch"])
    if git.get("dirty") is not None:
        yield "uncommitted changes", "yes" if git["dirty"] else "no"


def _environment(provenance: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    machine = _mapping(provenance.get("host"))
    named = {"python": provenance.get("python"), "host": machine.get("name"), "processor": machine.get("cpu")}
    for name, value in (*named.items(), ("gpus", ", ".join(map(str, provenance.get("gpus") or ())))):
        if value:
            yield name, str(value)
    for name, version in _mapping(provenance.get("packages")).items():
        yield f"package {name}", str(version)
    for name, value in _mapping(provenance.get("environment")).items():
        yield f"variable {name}", str(value)


def _listed(texts: Sequence[str]) -> str:
    more = len(texts) - _MOST_VALUES
    return ", ".join(texts[:_MOST_VALUES]) + (f", and {more} more" if more > 0 else "")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
