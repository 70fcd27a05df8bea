"""A pipeline as it is declared: stages by name, what each needs, and the order in which they run. Runs nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runyard.base import UsageError, append_text, compact_json, function_of, iso, unknown_name, utc_now

_KEYS = (
    "_target_", "command", "shell", "metrics", "needs", "resources", "cache", "files", "outputs", "retries",
    "timeout_min",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """What a stage returns: metrics, and its outputs by name as paths relative to its folder."""

    metrics: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, str | Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageContext:
    """Where a stage works: ``dir`` is the only folder that it may write in; ``run_dir`` is the job's."""

    name: str
    dir: Path
    run_dir: Path
    attempt: int

    def log(self, event: str, **fields: Any) -> None:
        """Adds a line of JSON to the stage's ``logs.jsonl``, with the time in UTC."""
        line = {"time": iso(utc_now()), "stage": self.name, "event": event, **fields}
        append_text(self.dir / "logs.jsonl", compact_json(line) + "\n")


StageFunction = Callable[[Any, Mapping[str, Mapping[str, Path]], StageContext], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage: a ``function`` of (cfg, inputs, context), or a ``command``.

    ``outputs`` maps a name to a path in the stage's folder, or to ``{path, schema}``. ``metrics`` is the file in which
    a command leaves its metrics. ``retries`` counts tries after the first; ``timeout_min`` is of one try, in minutes.
    ``cache`` is False, True (the result depends on the whole task config) or ``{"keys": [...]}`` with the dotted keys
    that it depends on; ``files`` are glob patterns of further input files.

    Raises:
        UsageError: it has both or neither of function and command, a key is not known, or a value is out of range.
    """

    name: str
    function: StageFunction | None = None
    command: str | tuple[str, ...] | None = None
    shell: bool = False
    metrics: str | None = None
    needs: tuple[str, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    cache: bool | Mapping[str, Any] = False
    files: tuple[str, ...] = ()
    retries: int = 0
    timeout_min: float | None = None
    resources: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuses what makes no sense, before anything runs."""
        where = f"stages.{self.name}"
        if (self.function is None) == (self.command is None):
            raise UsageError("a stage has either a function or a command", where=where, todo="give one of the two")
        if self.retries < 0:
            raise UsageError(f"retries is {self.retries}", where=f"{where}.retries", todo="give 0 or more")
        if self.timeout_min is not None and self.timeout_min <= 0:
            raise UsageError(f"timeout_min is {self.timeout_min}", where=f"{where}.timeout_min", todo="give minutes")
        for output, value in self.outputs.items():
            _check_output(value, f"{where}.outputs.{output}")
        if isinstance(self.cache, Mapping):
            for key in self.cache:
                if key != "keys":
                    raise unknown_name("key", str(key), ("keys",), where=f"{where}.cache")
        elif self.cache not in (True, False):
            todo = "give true, false or {keys: [...]}"
            raise UsageError(f"cache is {self.cache!r}", where=f"{where}.cache", todo=todo)

    def declaration(self) -> dict[str, Any]:
        """The part of it on which a result depends, as JSON can carry it."""
        function = self.function and f"{self.function.__module__}.{self.function.__qualname__}"
        values = {k: getattr(self, k) for k in ("name", "command", "shell", "metrics", "needs", "outputs")}
        return {**values, "function": function}


def _check_output(value: Any, where: str) -> None:
    if not isinstance(value, Mapping):
        return
    for key in value:
        if key not in ("path", "schema"):
            raise unknown_name("key", str(key), ("path", "schema"), where=where)
    if "path" not in value:
        raise UsageError("an output has a path", where=where, todo="give path, in the folder of the stage")


def stages_of(config: Mapping[str, Any]) -> list[Stage]:
    """The stages that a config's ``stages`` declares, in its order.

    Raises:
        UsageError: a key or a name is not known, or a function cannot be imported.
    """
    return [_stage(str(name), value) for name, value in config.items()]


def _stage(name: str, value: Any) -> Stage:
    where = f"stages.{name}"
    if not isinstance(value, Mapping) or ("_target_" in value) == ("command" in value):
        raise UsageError("a stage has either _target_ or command", where=where, todo="give one of the two")
    for key in value:
        if key not in _KEYS:
            raise unknown_name("key", str(key), _KEYS, where=where)
    fields = {k: v for k, v in value.items() if k != "_target_"}
    for key in ("needs", "files"):
        fields[key] = _texts(fields.get(key) or ())
    if not isinstance(fields.get("command", ""), str):
        fields["command"] = _texts(fields["command"])
    for key in ("outputs", "resources"):
        fields[key] = dict(fields.get(key) or {})
    function = None
    if "_target_" in value:
        function = function_of(str(value["_target_"]), where=f"{where}._target_", todo="give module.function")
    return Stage(name=name, function=function, **fields)


def _texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(str(part) for part in value)


def in_order(stages: Iterable[Stage]) -> list[Stage]:
    """The stages so that each comes after those that it needs, otherwise in the order given.

    Raises:
        UsageError: a name is unknown or there twice, or stages need each other in a circle.
    """
    left = list(stages)
    names = [stage.name for stage in left]
    if len(set(names)) < len(names):
        raise UsageError("two stages have the same name", where="stages", todo="give each a name of its own")
    for stage in left:
        for need in stage.needs:
            if need not in names:
                raise unknown_name("stage", need, names, where=f"stages.{stage.name}.needs")
    found: list[Stage] = []
    while left:
        ready = next((s for s in left if {n.name for n in found}.issuperset(s.needs)), None)
        if ready is None:
            circle = ", ".join(s.name for s in left)
            raise UsageError(f"stages need each other in a circle: {circle}", where="stages", todo="drop one need")
        found.append(ready)
        left.remove(ready)
    return found


def plain_config(cfg: Any) -> dict[str, Any]:
    """A config as plain mappings, interpolations resolved; a dataclass or a mapping is taken as well."""
    from omegaconf import OmegaConf

    if dataclasses.is_dataclass(cfg) and not isinstance(cfg, type):
        cfg = OmegaConf.structured(cfg)
    value = OmegaConf.to_container(cfg if OmegaConf.is_config(cfg) else OmegaConf.create(dict(cfg)), resolve=True)
    return {str(k): v for k, v in value.items()} if isinstance(value, dict) else {}
