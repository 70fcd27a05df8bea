"""The launcher ``runyard_slurm``: ``hydra/launcher=runyard_slurm``, or all at once with ``+runyard=slurm``."""

from dataclasses import dataclass, field
from typing import Any, Optional

from hydra.core.config_store import ConfigStore

from hydra_plugins.runyard.launcher import ResourcesConf, RunyardLauncher


@dataclass
class RunyardSlurmConf:
    """``hydra.launcher``; the meaning of each key is in docs/configuration.md and docs/slurm.md."""

    _target_: str = "hydra_plugins.runyard.slurm_launcher.RunyardSlurmLauncher"
    # of Slurm, as users of submitit know them
    partition: Optional[str] = None  # noqa: UP045 - OmegaConf on Python 3.10 reads this form only
    account: Optional[str] = None  # noqa: UP045
    qos: Optional[str] = None  # noqa: UP045
    timeout_min: float = 60
    nodes: int = 1
    tasks_per_node: int = 1
    cpus_per_task: Optional[int] = None  # noqa: UP045
    gpus_per_node: Any = None
    mem_gb: Optional[float] = None  # noqa: UP045
    constraint: Optional[str] = None  # noqa: UP045
    exclude: Optional[str] = None  # noqa: UP045
    array_parallelism: int = 256
    setup: Optional[list[str]] = None  # noqa: UP045
    srun_args: Optional[list[str]] = None  # noqa: UP045
    additional_parameters: dict[str, Any] = field(default_factory=dict)
    signal_delay_s: Optional[int] = None  # noqa: UP045
    python: Optional[str] = None  # noqa: UP045
    # of the workers
    workers: Optional[int] = None  # noqa: UP045
    max_tasks_per_job: Optional[int] = None  # noqa: UP045
    max_requeues: int = 5
    wait: bool = False
    fail_allocation: bool = True
    snapshot_mb: float = 200.0
    stages: Any = None
    # of the jobs
    n_jobs: int = 1
    job_timeout_min: Optional[float] = None  # noqa: UP045
    max_retries: int = 0
    retry_on: list[str] = field(default_factory=lambda: ["FAILED", "TIMEOUT"])
    retry_delay_s: float = 0.0
    fail_fast: bool = False
    max_failures: Optional[int] = None  # noqa: UP045
    grace_s: float = 10.0
    resources: ResourcesConf = field(default_factory=ResourcesConf)
    resources_from: Optional[str] = None  # noqa: UP045
    gpus: Any = "auto"
    isolation: str = "auto"
    display: str = "auto"


ConfigStore.instance().store(group="hydra/launcher", name="runyard_slurm", node=RunyardSlurmConf, provider="runyard")


class RunyardSlurmLauncher(RunyardLauncher):
    """Jobs packed into workers in Slurm's queue, from frozen code and configs."""

    def _launch_of(self, values: dict[str, Any]) -> Any:
        from runyard.cluster import SlurmLaunch

        return SlurmLaunch(values)
