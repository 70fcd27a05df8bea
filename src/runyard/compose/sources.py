"""Config files, read once: every later composition of a sweep sees what the first one saw.

That is faster, and it freezes the files: one that is edited while a sweep is planned does not split it in two.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import hydra
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import CachingConfigRepository, IConfigRepository
from hydra.core.config_loader import ConfigLoader
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, OmegaConf

from runyard.compose.clone import clone_node

#: Hydra 1.4 composes in other steps: there every composition reads its files anew.
_IS_KNOWN_HYDRA = hydra.__version__.startswith("1.3.")


class _Remembering(CachingConfigRepository):
    """A repository that answers each question once. Composing changes what it gets, so each answer is a copy."""

    def __init__(self, delegate: IConfigRepository) -> None:
        self.delegate = delegate
        self.cache: dict[str, ConfigResult | None] = {}
        self._answers: dict[Any, Any] = {}

    def load_config(self, config_path: str) -> ConfigResult | None:
        found = super().load_config(config_path)
        if found is None:
            return None
        config = clone_node(found.config, None)  # no deep copy: nodes that hold one object have it in common still
        answer = copy.deepcopy(dataclasses.replace(found, config=OmegaConf.create()))
        return dataclasses.replace(answer, config=config)

    def group_exists(self, config_path: str) -> bool:
        return bool(self._ask("group", config_path, lambda: self.delegate.group_exists(config_path)))

    def config_exists(self, config_path: str) -> bool:
        return bool(self._ask("config", config_path, lambda: self.delegate.config_exists(config_path)))

    def get_group_options(self, group_name: str, results_filter: ObjectType | None = ObjectType.CONFIG) -> list[str]:
        def ask() -> list[str]:
            return self.delegate.get_group_options(group_name, results_filter)

        return list(self._ask("options", (group_name, results_filter), ask))

    def _ask(self, kind: str, name: Any, ask: Any) -> Any:
        if (kind, name) not in self._answers:
            self._answers[kind, name] = ask()
        return self._answers[kind, name]


class Sources:
    """The config files of one sweep.

    Args:
        master: the sweep's own config.
        loader: Hydra's loader.
    """

    def __init__(self, master: DictConfig, loader: ConfigLoader) -> None:
        self._master, self._loader = master, loader
        self._repository: IConfigRepository | None = None

    def compose(self, overrides: Sequence[str], *, as_read: bool = True) -> DictConfig:
        """The config of a job as Hydra composes it.

        Args:
            overrides: of the job.
            as_read: use what has been read; False where the overrides may change which files there are.

        Raises:
            hydra.errors.HydraException: what Hydra raises for these overrides.
        """
        with self._instead() if as_read and _IS_KNOWN_HYDRA else _nothing():
            config: DictConfig = self._loader.load_sweep_config(self._master, list(overrides))
        return config

    def group_exists(self, name: str) -> bool:
        """Whether there is a config group; True where it cannot be told."""
        repository = self.repository
        return repository is None or bool(repository.group_exists(name))

    def config_exists(self, name: str) -> bool:
        """Whether there is a config of that name, without its ending; True where it cannot be told."""
        repository = self.repository
        return repository is None or bool(repository.config_exists(f"{name}.yaml"))

    @property
    def repository(self) -> IConfigRepository | None:
        """The files; None with a loader that is not Hydra's own."""
        if self._repository is None and isinstance(self._loader, ConfigLoaderImpl):
            given: Any = OmegaConf.to_container(self._master.hydra.overrides.hydra)  # as written, not resolved
            _, caching = self._loader._parse_overrides_and_create_caching_repo(
                self._master.hydra.job.config_name, given
            )
            self._repository = _Remembering(caching.delegate) if _IS_KNOWN_HYDRA else caching
        return self._repository

    @contextmanager
    def _instead(self) -> Iterator[None]:
        """While it lasts Hydra's loader takes the files from here."""
        repository = self.repository
        if repository is None:
            yield
            return
        loader: Any = self._loader

        def parse(_: str | None, overrides: list[str]) -> tuple[list[Override], IConfigRepository]:
            return OverridesParser.create().parse_overrides(overrides), repository

        loader._parse_overrides_and_create_caching_repo = parse
        try:
            yield
        finally:
            del loader._parse_overrides_and_create_caching_repo


@contextmanager
def _nothing() -> Iterator[None]:
    yield
