"""From a job's overrides to its config, fast, and as Hydra would compose it.

Overrides that only set values are applied, by Hydra's own function, to a copy of one composition; whatever chooses
config groups, or touches ``hydra.*``, is composed by Hydra once per distinct combination. The first job of each
combination is composed both ways and compared; on any difference, and on any error, Hydra's own way is taken.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cloudpickle
from hydra._internal import config_loader_impl
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import IConfigRepository
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, ListConfig, Node, OmegaConf, open_dict

Structural = tuple[str, ...]
_HYDRAS = re.compile(r"hydra($|[./\[])")
_SEARCH_PATH = re.compile(r"hydra($|\.searchpath|\[)")
#: None from Hydra 1.4 on, where a resolver makes the name when it is asked for.
_overrides_dirname = getattr(config_loader_impl, "get_overrides_dirname", None)


@dataclass(slots=True)
class Frozen:
    """Everything that composing needs, without the config files: it can be pickled and used later.

    ``bases`` maps the overrides that shape the config to the pickled composition of them alone, ``exact`` all
    overrides of a job to its pickled config where only Hydra could compose it, ``groups`` names that are config groups.
    """

    bases: dict[Structural, bytes] = field(default_factory=dict)
    exact: dict[Structural, bytes] = field(default_factory=dict)
    groups: dict[str, bool] = field(default_factory=dict)


class Composer:
    """Composes the jobs of one sweep.

    Args:
        master: the sweep's own config, composed by Hydra.
        loader: Hydra's loader, or None to compose only what is frozen.
        frozen: what an earlier composer has gathered.
    """

    def __init__(self, master: DictConfig, loader: ConfigLoader | None, frozen: Frozen | None = None) -> None:
        self._master, self._loader = master, loader
        self.frozen = frozen or Frozen()
        self._parser = OverridesParser.create()
        self._repository: IConfigRepository | None = None

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """The whole config of a job, the ``hydra`` node included, without the job's number.

        Raises:
            hydra.errors.HydraException: what Hydra raises for these overrides.
        """
        line = tuple(overrides)
        if line in self.frozen.exact:
            return self._thaw(self.frozen.exact[line])
        try:
            parsed = self._parser.parse_overrides(list(line))
        except Exception:  # as below
            return self._by_hydra(line)
        if any(self._is_for_hydra_alone(o) for o in parsed):
            return self._by_hydra(line)
        structural = tuple(str(o.input_line) for o in parsed if not self._sets_value(o))
        if structural not in self.frozen.bases:
            return self._first_of(structural, parsed, line)
        try:
            return self._from_base(structural, parsed)
        except Exception:  # whatever it was: Hydra's own composition decides, and words the error
            return self._by_hydra(line)

    def _first_of(self, structural: Structural, parsed: Sequence[Override], line: Structural) -> DictConfig:
        """Composes a base, and proves on this job that the fast way equals Hydra's."""
        by_hydra = self._by_hydra(line)
        self.frozen.exact.pop(line)
        base = by_hydra if structural == line else self._load(structural)
        self.frozen.bases[structural] = freeze_config(base)
        try:
            fast = self._from_base(structural, parsed)
        except Exception:  # as above
            fast = None
        if fast is None or not is_same_config(fast, by_hydra):
            self.frozen.bases[structural] = b""
            self.frozen.exact[line] = freeze_config(by_hydra)
        return by_hydra

    def _from_base(self, structural: Structural, parsed: Sequence[Override]) -> DictConfig:
        data = self.frozen.bases[structural]
        if not data:
            raise LookupError("this combination is composed by Hydra alone")
        config = self._thaw(data)
        values = [o for o in parsed if self._sets_value(o)]
        ConfigLoaderImpl._apply_overrides_to_config(values, config)
        _set_overrides(config, parsed)
        return config

    def _by_hydra(self, line: Structural) -> DictConfig:
        config = self._load(line)
        self.frozen.exact[line] = freeze_config(config)
        return config

    def _load(self, overrides: Structural) -> DictConfig:
        if self._loader is None:
            raise LookupError(f"no frozen config for the overrides {list(overrides)}")
        config: DictConfig = self._loader.load_sweep_config(self._master, list(overrides))
        return config

    def _thaw(self, data: bytes) -> DictConfig:
        """A frozen config, with the values that the sweep's own config has resolved so far (``${now:}``)."""
        config: DictConfig = pickle.loads(data)
        OmegaConf.copy_cache(self._master, config)
        return config

    def _is_for_hydra_alone(self, override: Override) -> bool:
        """Whether an override is an error in one job's line, or changes where and which config files are found."""
        key = override.key_or_group
        if override.is_sweep_override() or _SEARCH_PATH.match(key):
            return True
        return bool(override.is_delete() and self._exists(key, "config"))

    def _sets_value(self, override: Override) -> bool:
        """Whether an override sets a value of the task's config, and cannot change which files are composed."""
        key = override.key_or_group
        if override.package is not None or _HYDRAS.match(key):
            return False
        return isinstance(override.value(), dict) or not self._exists(key, "group")

    def _exists(self, key: str, kind: str) -> bool:
        """Whether there is a config group (or a config, with ``kind`` ``config``) of that name."""
        name = key if kind == "group" else f"{key}.yaml"
        known = self.frozen.groups.get(name)
        if known is None:
            known = self.frozen.groups[name] = self._ask(key, kind)
        return known

    def _ask(self, key: str, kind: str) -> bool:
        if not isinstance(self._loader, ConfigLoaderImpl):
            return True  # cannot be proved to be a value: Hydra composes it
        if self._repository is None:
            hydra_overrides = list(self._master.hydra.overrides.hydra)
            _, self._repository = self._loader._parse_overrides_and_create_caching_repo(
                self._master.hydra.job.config_name, hydra_overrides
            )
        exists = self._repository.group_exists if kind == "group" else self._repository.config_exists
        return bool(exists(key))


def _set_overrides(config: DictConfig, parsed: Sequence[Override]) -> None:
    """What Hydra writes into the hydra node after the overrides are applied."""
    task = [o for o in parsed if not o.is_hydra_override()]
    recorded = config.hydra.overrides.task
    recorded.clear()
    for override in task:
        recorded.append(override.input_line)
    if _overrides_dirname is not None:
        rules = config.hydra.job.config.override_dirname
        config.hydra.job.override_dirname = _overrides_dirname(
            overrides=task, kv_sep=rules.kv_sep, item_sep=rules.item_sep, exclude_keys=rules.exclude_keys
        )


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


def number_job(config: DictConfig, job: int) -> DictConfig:
    """Gives a composed config the job's number, as Hydra's basic launcher does; returns it."""
    with open_dict(config):
        config.hydra.job.id = job
        config.hydra.job.num = job
    return config


def freeze_config(config: DictConfig) -> bytes:
    """A pickle of a config; classes that cannot be imported by their name go with it."""
    try:
        return pickle.dumps(config, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError):  # a class that cannot be imported by its name
        data: bytes = cloudpickle.dumps(config)
        return data
