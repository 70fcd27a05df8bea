from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import omegaconf
import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.core.singleton import Singleton
from hydra.core.utils import setup_globals
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig, OmegaConf

from runyard.compose import Composer

from .tree import store_structured, write_tree

IS_OMEGACONF_2_4 = tuple(map(int, omegaconf.__version__.split(".")[:2])) >= (2, 4)


class CountingLoader(ConfigLoaderImpl):
    """Hydra's loader, which counts how often it is asked for a job's config, and composes each line but once."""

    def __init__(self, search_path: ConfigSearchPathImpl) -> None:
        super().__init__(search_path)
        self.asked = 0
        self._composed: dict[tuple[str, ...], DictConfig | Exception] = {}

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        self.asked += 1
        return self.composed(master_config, sweep_overrides)

    def composed(self, master: DictConfig, overrides: list[str]) -> DictConfig:
        line = tuple(overrides)
        if line not in self._composed:
            try:
                self._composed[line] = super().load_sweep_config(master, overrides)
            except Exception as error:
                self._composed[line] = error
        found = self._composed[line]
        if isinstance(found, Exception):
            raise found
        config = copy.deepcopy(found)
        OmegaConf.copy_cache(master, config)
        return config


@dataclass
class App:
    """The sweep's own config and the loader of an application's configs."""

    loader: CountingLoader
    master: DictConfig

    def by_hydra(self, *line: str) -> DictConfig:
        return self.loader.composed(self.master, list(line))

    def composer(self, **options: Any) -> Composer:
        return Composer(self.master, self.loader, **options)


MakeApp = Callable[..., App]


def register(name: str, function: Callable[..., Any], *, use_cache: bool = False) -> None:
    """Registers a resolver, by the name that this OmegaConf has for that (2.3 has both, of another meaning)."""
    call: Any = OmegaConf.register_resolver if IS_OMEGACONF_2_4 else OmegaConf.register_new_resolver
    call(name, function, use_cache=use_cache, replace=True)


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("conf")
    write_tree(folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _own_hydra() -> Iterator[None]:
    Plugins.instance()  # what is put back in the end must have the plugins in it
    state = copy.deepcopy(Singleton.get_state())
    setup_globals()
    register("dumped", OmegaConf.to_yaml)
    store_structured()
    yield
    GlobalHydra.instance().clear()
    Singleton.set_state(state)


@pytest.fixture(scope="module")
def make_app(tree: Path) -> MakeApp:
    """The application's configs, composed for a sweep as ``python app.py -m overrides`` does."""

    def make(*overrides: str, config_name: str | None = "config", config_dir: Path | None = tree) -> App:
        GlobalHydra.instance().clear()
        search_path = create_config_search_path(None if config_dir is None else str(config_dir))
        assert isinstance(search_path, ConfigSearchPathImpl)
        Hydra.create_main_hydra2(task_name="app", config_search_path=search_path)
        loader = CountingLoader(search_path)
        master = loader.load_configuration(config_name, list(overrides), run_mode=RunMode.MULTIRUN)
        return App(loader, master)

    return make


@pytest.fixture(scope="module")
def app(make_app: MakeApp) -> App:
    """One application for many tests, whose sweep has resolved the time."""
    app = make_app()
    assert all((app.master.stamp, app.master.hydra.sweep.dir, app.master.hydra.run.dir))
    return app


def nodes_of(node: Any, path: str = "") -> Iterator[tuple[Any, ...]]:
    """Every node of a config: its path, classes, types, flags and raw value."""
    meta = node._metadata
    types = (meta.ref_type, meta.object_type, meta.optional, meta.key, copy.copy(meta.flags), meta.flags_root)
    if isinstance(node, (DictConfig, ListConfig)):
        content = node._content
        shown = content if content is None or isinstance(content, str) else type(content)
        yield (path, type(node), *types, meta.key_type, meta.element_type, shown)
        items = content.items() if isinstance(content, dict) else enumerate(content if shown is list else ())
        for key, child in items:
            yield from nodes_of(child, f"{path}.{key!r}")
    else:
        value = node._value()
        yield (path, type(node), *types, type(value), repr(value))


def look(config: DictConfig, *, text: bool = True) -> dict[str, Any]:
    """All that a task can see of a config, without resolving anything: what is resolved stays in the cache.

    With ``text`` also its YAML, in which objects that two nodes have in common show, and which takes the longest.
    """
    flags = [node._get_flag(flag) for node in (config, config.hydra) for flag in ("struct", "readonly")]
    return {
        "cache": copy.deepcopy(OmegaConf.get_cache(config)),
        "flags": flags,
        "choices": OmegaConf.to_container(config.hydra.runtime.choices),
        "overrides": OmegaConf.to_container(config.hydra.overrides),
        "dirname": config.hydra.job._get_node("override_dirname")._value(),
        "yaml": OmegaConf.to_yaml(config) if text else "",
        "nodes": list(nodes_of(config)),
    }
