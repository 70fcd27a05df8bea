"""What stands under ``hydra.launcher`` of the Slurm launcher, sorted: ours, Slurm's, and what a job's process obeys."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runyard.base import UsageError
from runyard.execute import SLURM_KEYS, Resources, SlurmOptions, slurm_options
from runyard.orchestrate import LAUNCHER_KEYS, LauncherSettings, launcher_settings

#: what a job's process obeys is what the local launcher knows, but for the time limit, which has a name of its own.
_OF_JOBS = frozenset(LAUNCHER_KEYS) - {"timeout_min", "cpus"}
#: ends that others may follow up: the job goes back to the sweep's other workers, and is not tried again by its own.
_GIVEN_BACK = ("PREEMPTED", "LOST")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSettings:
    """``hydra.launcher.*`` of the Slurm launcher; the meaning of each key is in docs/configuration.md.

    Raises:
        UsageError: a value is out of range.
    """

    jobs: LauncherSettings
    slurm: SlurmOptions
    workers: int | None = None
    max_tasks_per_job: int | None = None
    max_requeues: int = 5
    wait: bool = False
    fail_allocation: bool = True
    snapshot_mb: float = 200.0
    stages: tuple[tuple[str, SlurmOptions], ...] = ()

    def __post_init__(self) -> None:
        for key in ("workers", "max_tasks_per_job"):
            value = getattr(self, key)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise _out_of_range(key, value, "a whole number of at least 1, or null")
        if not isinstance(self.max_requeues, int) or self.max_requeues < 0:
            raise _out_of_range("max_requeues", self.max_requeues, "a whole number of at least 0")
        if self.snapshot_mb <= 0:
            raise _out_of_range("snapshot_mb", self.snapshot_mb, "a number of megabytes above 0")

    def options_for(self, wanted: Resources, stage: str | None = None) -> SlurmOptions:
        """What is asked of Slurm for a worker whose jobs, or a stage of them, ask for ``wanted``."""
        found: dict[str, Any] = {}
        at_a_time = self.jobs.n_jobs or 1
        if wanted.cpus > 1:
            found["cpus_per_task"] = wanted.cpus * at_a_time
        if wanted.gpus:
            found["gpus_per_node"] = max(1, round(wanted.gpus * at_a_time))
        if wanted.mem_gb is not None:
            found["mem_gb"] = wanted.mem_gb * at_a_time
        return dataclasses.replace(dict(self.stages).get(stage or "", self.slurm), **found)


_OWN = tuple(f.name for f in dataclasses.fields(ClusterSettings) if f.name not in ("jobs", "slurm", "stages"))
CLUSTER_KEYS = tuple(sorted({*_OWN, *_OF_JOBS, *SLURM_KEYS, "job_timeout_min", "stages"}))


def cluster_settings(values: Mapping[str, Any]) -> ClusterSettings:
    """Settings from the keys and values under ``hydra.launcher``.

    Raises:
        UsageError: a key is not known (the closest known one is named), or a value is of the wrong kind or range.
    """
    own = {key: values[key] for key in _OWN if values.get(key) is not None}
    jobs = {key: value for key, value in values.items() if key in _OF_JOBS}
    rest = {key: value for key, value in values.items() if key not in own and key not in _OWN and key not in _OF_JOBS}
    jobs["timeout_min"] = rest.pop("job_timeout_min", None)
    stages = _stages(rest.pop("stages", None), rest)
    jobs["n_jobs"] = jobs.get("n_jobs") or 1
    jobs["retry_on"] = [str(cause) for cause in jobs.get("retry_on") or () if cause not in _GIVEN_BACK]
    jobs["display"] = jobs.get("display") or "auto"
    if jobs.get("isolation") == "inline":
        raise UsageError(
            "jobs of a cluster's workers are processes of their own",
            where="hydra.launcher.isolation=inline",
            todo="debug with +runyard=local hydra.launcher.isolation=inline",
        )
    return ClusterSettings(
        jobs=launcher_settings(jobs), slurm=slurm_options(rest, known=CLUSTER_KEYS), stages=stages, **own
    )


def _stages(given: Any, common: Mapping[str, Any]) -> tuple[tuple[str, SlurmOptions], ...]:
    """What is asked for each stage: what is asked for all, and what the stage has of its own."""
    where = "hydra.launcher.stages"
    if given is None:
        return ()
    if not isinstance(given, Mapping):
        raise UsageError(
            "it is no mapping", where=where, todo="write {train: {gpus_per_node: 1}, evaluate: {cpus_per_task: 4}}"
        )
    found = []
    for name, changes in given.items():
        if changes is not None and not isinstance(changes, Mapping):
            raise UsageError("it is no mapping", where=f"{where}.{name}", todo="write keys of Slurm: {partition: gpu}")
        found.append((str(name), slurm_options({**common, **(changes or {})}, known=CLUSTER_KEYS)))
    return tuple(found)


def _out_of_range(key: str, value: object, wanted: str) -> UsageError:
    return UsageError(f"{key} is {value!r}", where=f"hydra.launcher.{key}", todo=f"give {wanted}")
