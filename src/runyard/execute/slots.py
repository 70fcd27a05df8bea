"""Room for jobs on one machine: processors and graphics processors, lent and given back."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runyard.base import UsageError
from runyard.execute.devices import PARTS, Devices, devices_folder
from runyard.execute.machine import usable_cpus, usable_gpus
from runyard.execute.task import Resources

#: the variables by which libraries learn which devices are theirs, and on which machines they are set.
GPU_VARIABLES: Mapping[str, str] = {"CUDA_VISIBLE_DEVICES": "any", "HIP_VISIBLE_DEVICES": "amd"}
_AMD_DRIVER = "/dev/kfd"
#: the variables by which libraries learn how many threads they may start.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """What one job has been lent: processors, and parts of devices by id. ``threads`` None leaves them alone."""

    cpus: int
    parts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    threads: int | None = None
    is_amd: bool = False

    @property
    def gpus(self) -> tuple[str, ...]:
        """Ids of the devices, shared or not."""
        return tuple(self.parts)

    def environment(self) -> dict[str, str]:
        """The variables that show a job its devices and its threads."""
        found = {} if self.threads is None else dict.fromkeys(THREAD_VARIABLES, str(self.threads))
        if self.parts:
            names = [name for name, machines in GPU_VARIABLES.items() if machines == "any" or self.is_amd]
            found |= dict.fromkeys(names, ",".join(self.parts))
        return found


class Slots:
    """At most ``n_jobs`` at a time, within ``cpus`` processors (None: not counted) and the devices.

    Args:
        n_jobs: jobs at a time.
        cpus: processors to lend.
        devices: graphics processors to lend.
        sets_threads: tell jobs to start no more threads than they have processors.
        threads: the threads that every job is told instead; None for that rule alone.
        is_amd: whether the devices are AMD's.
    """

    def __init__(
        self,
        *,
        n_jobs: int,
        cpus: int | None,
        devices: Devices,
        sets_threads: bool = False,
        threads: int | None = None,
        is_amd: bool = False,
    ) -> None:
        self._free_jobs, self._free_cpus, self._devices = n_jobs, cpus, devices
        self._all_cpus = cpus
        self._sets_threads, self._threads, self._is_amd = sets_threads, threads, is_amd

    @classmethod
    def of_machine(
        cls,
        *,
        n_jobs: int | None,
        cpus: int | None,
        counts_cpus: bool,
        gpus: str | int | Sequence[int | str],
        environment: Mapping[str, str],
    ) -> Slots:
        """The room that this machine has.

        Args:
            n_jobs: jobs at a time; None for as many as there are processors.
            cpus: processors to lend; None for those of this process.
            counts_cpus: whether jobs say how many processors they want: only then they are counted. Jobs are told to
                start no more threads than that; where they do not say, than their share of the processors. A number
                of threads in ``environment`` is the user's own and stays.
            gpus: see ``usable_gpus``.
            environment: the variables of this process.

        Raises:
            UsageError: ``gpus`` names no devices.
        """
        usable = usable_cpus()
        jobs, is_free = n_jobs or usable, environment.keys().isdisjoint(THREAD_VARIABLES)
        return cls(
            n_jobs=jobs,
            cpus=(cpus or usable) if counts_cpus else cpus,
            devices=Devices(usable_gpus(gpus, environment), devices_folder(environment)),
            sets_threads=counts_cpus and is_free,
            threads=max(1, (cpus or usable) // jobs) if is_free and jobs > 1 and not counts_cpus else None,
            is_amd=os.path.exists(_AMD_DRIVER),
        )

    def check(self, wanted: Resources) -> None:
        """Raises UsageError when a job could never be placed."""
        if self._all_cpus is not None and wanted.cpus > self._all_cpus:
            raise UsageError(
                f"a job asks for {wanted.cpus} cpus and this machine offers {self._all_cpus}",
                where="hydra.launcher.resources.cpus",
                todo="ask for fewer, or say what there is with hydra.launcher.cpus",
            )
        if wanted.gpus > len(self._devices.ids):
            raise UsageError(
                f"a job asks for {wanted.gpus:g} gpus and this machine offers {len(self._devices.ids)}",
                where="hydra.launcher.resources.gpus",
                todo="ask for fewer, or name the devices with hydra.launcher.gpus=[0,1]",
            )

    @property
    def is_full(self) -> bool:
        """Whether as many jobs run as may."""
        return self._free_jobs < 1

    def lend(self, wanted: Resources) -> Lease | None:
        """A lease, or None while there is no room here, or other sweeps have the devices."""
        short_of_cpus = self._free_cpus is not None and wanted.cpus > self._free_cpus
        if self._free_jobs < 1 or short_of_cpus:
            return None
        parts = self._take(wanted.gpus)
        if parts is None:
            return None
        self._free_jobs -= 1
        if self._free_cpus is not None:
            self._free_cpus -= wanted.cpus
        threads = wanted.cpus if self._sets_threads else self._threads
        return Lease(cpus=wanted.cpus, parts=parts, threads=threads, is_amd=self._is_amd)

    def _take(self, gpus: float) -> dict[str, tuple[int, ...]] | None:
        """Whole devices; or a part of one, of those in use already the one that it fits best."""
        devices = self._devices
        count, size = (int(gpus), PARTS) if gpus >= 1 else (int(gpus > 0), max(1, round(gpus * PARTS)))
        fitting = [device for device in devices.ids if devices.free(device) >= size]
        if size < PARTS:
            fitting.sort(key=devices.free)
        taken: dict[str, tuple[int, ...]] = {}
        for device in fitting:
            if len(taken) == count:
                break
            parts = devices.take(device, size)
            if parts is not None:
                taken[device] = parts
        if len(taken) == count:
            return taken
        for device, parts in taken.items():
            devices.give_back(device, parts)
        return None

    def give_back(self, lease: Lease) -> None:
        """Takes a lease back; call it once for each."""
        self._free_jobs += 1
        if self._free_cpus is not None:
            self._free_cpus += lease.cpus
        for device, parts in lease.parts.items():
            self._devices.give_back(device, parts)
