"""What is asked of Slurm for the workers of a sweep: the keys that users of submitit know, and sbatch's own options."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runyard.base import UsageError, unknown_name

_WHERE = "hydra.launcher"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmOptions:
    """What is asked for one array of workers. None leaves it to the cluster.

    ``timeout_min`` is the time limit of an allocation in minutes, ``signal_delay_s`` how long before its end the
    workers are warned, in seconds, ``mem_gb`` the memory of a node's share in gigabytes. ``additional_parameters`` are
    options of sbatch by their long names.

    Raises:
        UsageError: a number is out of range.
    """

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    timeout_min: int = 60
    nodes: int = 1
    tasks_per_node: int = 1
    cpus_per_task: int | None = None
    cpus_per_gpu: int | None = None
    gpus_per_node: int | str | None = None
    gpus_per_task: int | str | None = None
    gres: str | None = None
    mem_gb: float | None = None
    mem_per_cpu: str | None = None
    mem_per_gpu: str | None = None
    constraint: str | None = None
    exclude: str | None = None
    nodelist: str | None = None
    exclusive: bool | str | None = None
    comment: str | None = None
    mail_type: str | None = None
    mail_user: str | None = None
    wckey: str | None = None
    array_parallelism: int = 256
    setup: tuple[str, ...] = ()
    teardown: tuple[str, ...] = ()
    srun_args: tuple[str, ...] = ()
    additional_parameters: Mapping[str, Any] = field(default_factory=dict)
    signal_delay_s: int = 120
    python: str | None = None

    def __post_init__(self) -> None:
        for key in ("timeout_min", "nodes", "tasks_per_node", "array_parallelism", "signal_delay_s"):
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise _wrong(key, value, "a whole number of at least 1")
        for key in ("cpus_per_task", "cpus_per_gpu", "mem_gb"):
            value = getattr(self, key)
            if value is not None and (isinstance(value, (bool, str)) or value <= 0):
                raise _wrong(key, value, "a number above 0, or null")
        for key in ("setup", "teardown", "srun_args"):
            if isinstance(getattr(self, key), str):
                raise _wrong(key, getattr(self, key), "a list, such as ['module load cuda']")


SLURM_KEYS: tuple[str, ...] = tuple(f.name for f in dataclasses.fields(SlurmOptions))

#: further long options of sbatch, with underscores for dashes: they are passed on as they are.
# fmt: off
_PASSED_ON = frozenset({
    "acctg_freq", "batch", "bb", "bbf", "begin", "clusters", "cluster_constraint", "contiguous", "container",
    "core_spec", "cores_per_socket", "cpu_freq", "deadline", "delay_boot", "distribution", "export", "export_file",
    "extra_node_info", "get_user_env", "gid", "gpu_bind", "gpu_freq", "gpus", "gpus_per_socket", "gres_flags", "hint",
    "ignore_pbs", "input", "kill_on_invalid_dep", "licenses", "mcs_label", "mem", "mem_bind", "mincpus", "network",
    "nice", "no_kill", "ntasks", "ntasks_per_core", "ntasks_per_gpu", "ntasks_per_node", "ntasks_per_socket",
    "overcommit", "oversubscribe", "power", "prefer", "priority", "profile", "propagate", "reboot", "reservation",
    "sockets_per_node", "spread_job", "switches", "thread_spec", "threads_per_core", "time_min", "tmp",
    "tres_per_task", "uid", "use_min_nodes", "wait_all_nodes",
})
# fmt: on
#: options that the launcher gives itself, and what to say instead.
_OURS = {
    "array": "say how many workers there are with hydra.launcher.workers",
    "time": "give minutes with hydra.launcher.timeout_min",
    "signal": "give seconds with hydra.launcher.signal_delay_s",
    "requeue": "bound it with hydra.launcher.max_requeues",
    "no_requeue": "forbid it with hydra.launcher.max_requeues=0",
    "output": "logs of workers are in the sweep's folder slurm/, those of jobs in their own folders",
    "error": "logs of workers are in the sweep's folder slurm/, those of jobs in their own folders",
    "open_mode": "logs are appended to",
    "job_name": "name the experiment: hydra.callbacks.runyard.experiment",
    "chdir": "start the command in another directory",
    "wrap": "the launcher writes the script",
    "wait": "hydra.launcher.wait waits for the sweep",
    "dependency": "put it into hydra.launcher.additional_parameters.dependency, if it must be",
}


def slurm_options(values: Mapping[str, Any]) -> SlurmOptions:
    """Options from keys and values under ``hydra.launcher``; null counts as not given.

    Raises:
        UsageError: a key is none of Slurm's (the closest known one is named), or a value is of the wrong kind.
    """
    given: dict[str, Any] = {}
    more = _mapping(values.get("additional_parameters"))
    for key, value in values.items():
        if key in _OURS:
            raise UsageError(f"{key} is the launcher's own", where=f"{_WHERE}.{key}", todo=_OURS[key])
        if key in SLURM_KEYS:
            if value is not None and key != "additional_parameters":
                given[key] = tuple(value) if isinstance(value, list) else value
        elif key in _PASSED_ON:
            more[key] = value
        else:
            raise unknown_name("key", key, sorted({*SLURM_KEYS, *_PASSED_ON}), where=_WHERE)
    for key in more:
        plain = key.replace("-", "_")
        if plain in _OURS and plain != "dependency":
            where = f"{_WHERE}.additional_parameters.{key}"
            raise UsageError(f"{key} is the launcher's own", where=where, todo=_OURS[plain])
    try:
        return SlurmOptions(**given, additional_parameters=more)
    except TypeError as exc:
        raise UsageError(
            f"a value has the wrong kind ({exc})", where=_WHERE, todo="give a number where one belongs"
        ) from exc


def _mapping(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong("additional_parameters", value, "a mapping of sbatch's options, such as {nice: 100}")
    return {str(key): value[key] for key in value}


def _wrong(key: str, value: object, wanted: str) -> UsageError:
    return UsageError(f"{key} is {value!r}", where=f"{_WHERE}.{key}", todo=f"give {wanted}")
