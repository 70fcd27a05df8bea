"""Adds the groups ``runyard`` and ``hydra/output=runyard`` to every application's configs."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf


def _sweep_id(label: object = None) -> str:
    from runyard.orchestrate import new_sweep_id

    return new_sweep_id(label)


OmegaConf.register_new_resolver("runyard.sweep_id", _sweep_id, use_cache=True, replace=True)


class RunyardSearchPath(SearchPathPlugin):
    """Appends the package's folder of configs."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:  # noqa: D102
        search_path.append(provider="runyard", path="pkg://hydra_plugins.runyard.conf")
