"""What this machine offers: processors and graphics processors."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from runyard.base import UsageError
from runyard.record import gpu_names


def usable_cpus() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def usable_gpus(setting: str | int | Sequence[int | str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Ids of the devices that jobs may be lent.

    Args:
        setting: ``auto`` (those that CUDA_VISIBLE_DEVICES names, else those that the driver lists), a number
            of devices (0 to n-1), or a list of ids.
        environment: the variables of this process.

    Raises:
        UsageError: the setting is none of these.
    """
    if isinstance(setting, bool) or (isinstance(setting, str) and setting != "auto"):
        raise _bad(setting)
    if isinstance(setting, int):
        if setting < 0:
            raise _bad(setting)
        return tuple(str(i) for i in range(setting))
    if not isinstance(setting, str):
        ids = tuple(str(i) for i in setting)
        if len(set(ids)) != len(ids):
            raise _bad(list(setting))
        return ids
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(v.strip() for v in visible.split(",") if v.strip() and v.strip() != "-1")
    return tuple(str(i) for i in range(len(gpu_names())))


def _bad(setting: object) -> UsageError:
    return UsageError(
        f"gpus cannot be {setting!r}",
        where="hydra.launcher.gpus",
        todo="say auto, a number of devices such as 2, or a list of different ids such as [0,2]",
    )
