"""The sweeper ``runyard``: ``hydra/sweeper=runyard``, chosen by ``+runyard=local`` as well."""

from dataclasses import dataclass
from typing import Any, Optional

from hydra.core.config_store import ConfigStore
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf


@dataclass
class RunyardSweeperConf:
    """``hydra.sweeper``; the meaning of each key is in docs/configuration.md."""

    _target_: str = "hydra_plugins.runyard.sweeper.RunyardSweeper"
    max_batch_size: Optional[int] = None  # noqa: UP045 - OmegaConf on Python 3.10 reads this form only
    params: Optional[dict[str, Any]] = None  # noqa: UP045
    zip: Any = None
    union: Any = None
    table: Optional[str] = None  # noqa: UP045
    seeds: Any = None
    seed_key: str = "seed"
    include: Any = None
    exclude: Any = None
    n_samples: Optional[int] = None  # noqa: UP045
    sampler: str = "random"
    sampler_seed: int = 0
    max_jobs: Optional[int] = None  # noqa: UP045
    shuffle_jobs: Any = False
    group_by: Any = None
    dry_run: bool = False
    reuse: str = "never"


ConfigStore.instance().store(group="hydra/sweeper", name="runyard", node=RunyardSweeperConf, provider="runyard")


class RunyardSweeper(Sweeper):
    """Hydra's grid and what it lacks. Over a launcher that is not ours, the callback records the jobs."""

    def __init__(self, **values: Any) -> None:
        from runyard.orchestrate import plain_exit, settings_from

        plain = {k: OmegaConf.to_container(v) if OmegaConf.is_config(v) else v for k, v in values.items()}
        with plain_exit():
            self._settings = settings_from(plain)

    def setup(  # noqa: D102
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        from hydra.core.plugins import Plugins

        from runyard.orchestrate import Application

        self._app = Application(task_function=task_function, context=hydra_context, config=config)
        self._launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Plans and runs; see Hydra's ``Sweeper``."""
        from runyard.orchestrate import plain_exit, run_sweep

        with plain_exit():
            return run_sweep(self._app, self._launcher, self._settings, arguments)
