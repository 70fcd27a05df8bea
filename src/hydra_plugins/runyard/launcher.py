"""The launcher ``runyard_local``: ``hydra/launcher=runyard_local``, or all at once with ``+runyard=local``."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class ResourcesConf:
    """What each job asks for."""

    cpus: Optional[int] = None  # noqa: UP045 - OmegaConf on Python 3.10 reads this form only
    gpus: float = 0
    mem_gb: Optional[float] = None  # noqa: UP045
    nodes: int = 1
    rules: Any = None


@dataclass
class RunyardLocalConf:
    """``hydra.launcher``; the meaning of each key is in docs/configuration.md."""

    _target_: str = "hydra_plugins.runyard.launcher.RunyardLocalLauncher"
    n_jobs: Optional[int] = None  # noqa: UP045
    timeout_min: Optional[float] = None  # noqa: UP045
    max_retries: int = 0
    retry_on: list[str] = field(default_factory=lambda: ["FAILED", "TIMEOUT", "PREEMPTED", "LOST"])
    retry_delay_s: float = 0.0
    fail_fast: bool = False
    max_failures: Optional[int] = None  # noqa: UP045
    grace_s: float = 10.0
    resources: ResourcesConf = field(default_factory=ResourcesConf)
    resources_from: Optional[str] = None  # noqa: UP045
    cpus: Optional[int] = None  # noqa: UP045
    gpus: Any = "auto"
    isolation: str = "auto"
    display: str = "auto"


ConfigStore.instance().store(group="hydra/launcher", name="runyard_local", node=RunyardLocalConf, provider="runyard")


class RunyardLauncher(Launcher):
    """What our launchers have in common: Hydra's calls go to ``runyard_launch``, and our errors are plain words."""

    def __init__(self, **values: Any) -> None:
        from runyard.orchestrate import plain_exit

        with plain_exit():
            self.runyard_launch = self._launch_of(values)

    @abstractmethod
    def _launch_of(self, values: dict[str, Any]) -> Any:
        """The launcher's work, with what stands under ``hydra.launcher``."""

    def setup(  # noqa: D102
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        from runyard.orchestrate import Application

        self._app = Application(task_function=task_function, context=hydra_context, config=config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Runs the jobs, or sees to it; see Hydra's ``Launcher``. Returns the results that there are."""
        from runyard.orchestrate import plain_exit

        with plain_exit():
            results: Sequence[JobReturn] = self.runyard_launch.launch(self._app, job_overrides, initial_job_idx)
            return results


class RunyardLocalLauncher(RunyardLauncher):
    """Every job in a process of its own on this machine, recorded, resumable."""

    def _launch_of(self, values: dict[str, Any]) -> Any:
        from runyard.orchestrate import LocalLaunch

        return LocalLaunch(values)
