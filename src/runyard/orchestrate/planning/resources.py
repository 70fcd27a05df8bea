"""What each job asks for: the same for all, by rules on its overrides, or as its own config says; and the room there
is for it.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from runyard.base import UsageError, unknown_name
from runyard.execute import Resources, Slots
from runyard.orchestrate.opening import LauncherSettings
from runyard.orchestrate.planning.planner import Values

_RULES = "hydra.launcher.resources.rules"
_EXAMPLE = "write a list of rules such as {when: model=big, gpus: 2}"
_KEYS = tuple(f.name for f in dataclasses.fields(Resources))


class JobResources:
    """The resources of the jobs of one sweep.

    Args:
        base: what every job asks for.
        rules: mappings with ``when``, an override or a list of them that must all be given, and what the job then
            asks for; later rules win.
        node: dotted place in a job's config whose keys replace the rest; None for none.

    Raises:
        UsageError: a rule is none, or has an unknown key.
    """

    def __init__(self, base: Resources, rules: Any = None, node: str | None = None) -> None:
        self.base, self._node, self._values = base, node, Values()
        if not isinstance(rules or [], Sequence) or isinstance(rules, str):
            raise UsageError("the rules are no list", where=_RULES, todo=_EXAMPLE)
        self._rules = [self._rule(given, f"{_RULES}[{number}]") for number, given in enumerate(rules or [])]

    @property
    def varies(self) -> bool:
        """Whether jobs may differ in what they ask for."""
        return bool(self._rules) or self._node is not None

    @property
    def reads_config(self) -> bool:
        """Whether a job's config must be known to tell."""
        return self._node is not None

    def _rule(self, given: Any, where: str) -> tuple[dict[str, Any], dict[str, Any]]:
        if not isinstance(given, Mapping) or not given.get("when"):
            raise UsageError("a rule does not say when it holds", where=where, todo=_EXAMPLE)
        texts = [given["when"]] if isinstance(given["when"], str) else given["when"]
        try:
            condition = _bare(self._values.of(texts))
        except Exception as exc:  # Hydra's parser has no error class of its own for every fault
            raise UsageError(f"{given['when']!r} is no override", where=where, todo=_EXAMPLE) from exc
        return condition, _changes({key: value for key, value in given.items() if key != "when"}, where)

    def every(self) -> list[Resources]:
        """What can be asked for, as far as it is known without a config: to be checked beforehand."""
        return [self.base, *(_with(self.base, changes) for _, changes in self._rules)]

    def of(self, overrides: Sequence[str], config: DictConfig | None = None) -> Resources:
        """What a job asks for.

        Raises:
            UsageError: its config has no such node, or an unknown key in it.
        """
        found = self.base
        if self._rules:
            values = _bare(self._values.of(overrides))
            for condition, changes in self._rules:
                if all(key in values and values[key] == value for key, value in condition.items()):
                    found = _with(found, changes)
        if self._node is not None and config is not None:
            where = f"hydra.launcher.resources_from={self._node}"
            node = OmegaConf.select(config, self._node)
            if not isinstance(node, DictConfig):
                raise UsageError(
                    f"the config has no node {self._node!r} with resources", where=where, todo="give it cpus, gpus..."
                )
            found = _with(found, _changes(OmegaConf.to_container(node, resolve=True), where))
        return found


def _bare(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key.lstrip("+"): value for key, value in values.items()}


def _changes(given: Any, where: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise UsageError("it is no mapping", where=where, todo=f"write {{gpus: 2}}; known keys: {', '.join(_KEYS)}")
    for key in given:
        if key not in _KEYS:
            raise unknown_name("key", str(key), _KEYS, where=where)
    return {str(key): value for key, value in given.items() if value is not None}


def _with(base: Resources, changes: Mapping[str, Any]) -> Resources:
    return dataclasses.replace(base, **changes)


def slots_of(settings: LauncherSettings) -> Slots:
    """The room for jobs on this machine, or in this allocation."""
    return Slots.of_machine(
        n_jobs=settings.n_jobs,
        cpus=settings.cpus,
        counts_cpus=settings.counts_cpus,
        gpus=settings.gpus,
        environment=os.environ,
    )
