"""Room for jobs on one machine: processors and graphics processors, lent and given back. Pure bookkeeping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runyard.base import UsageError
from runyard.execute.task import Resources

#: the variables by which libraries learn which devices are theirs.
GPU_VARIABLES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """What one job has been lent."""

    cpus: int
    gpus: tuple[str, ...]

    def environment(self) -> dict[str, str]:
        """The variables that show a job its devices; none when it asked for none."""
        if not self.gpus:
            return {}
        return {"CUDA_VISIBLE_DEVICES": ",".join(self.gpus)}


class Slots:
    """At most ``n_jobs`` at a time, within ``cpus`` processors (None: not counted) and the devices ``gpus``."""

    def __init__(self, *, n_jobs: int, cpus: int | None, gpus: Sequence[str]) -> None:
        self._free_jobs, self._free_cpus, self._free_gpus = n_jobs, cpus, list(gpus)
        self._all_cpus, self._all_gpus = cpus, len(gpus)

    def check(self, wanted: Resources) -> None:
        """Raises UsageError when a job could never be placed."""
        if self._all_cpus is not None and wanted.cpus > self._all_cpus:
            raise UsageError(
                f"a job asks for {wanted.cpus} cpus and this machine offers {self._all_cpus}",
                where="hydra.launcher.resources.cpus",
                todo="ask for fewer, or say what there is with hydra.launcher.cpus",
            )
        if wanted.gpus > self._all_gpus:
            raise UsageError(
                f"a job asks for {wanted.gpus} gpus and this machine offers {self._all_gpus}",
                where="hydra.launcher.resources.gpus",
                todo="ask for fewer, or name the devices with hydra.launcher.gpus=[0,1]",
            )

    def lend(self, wanted: Resources) -> Lease | None:
        """A lease, or None while there is no room."""
        short_of_cpus = self._free_cpus is not None and wanted.cpus > self._free_cpus
        if self._free_jobs < 1 or short_of_cpus or wanted.gpus > len(self._free_gpus):
            return None
        self._free_jobs -= 1
        if self._free_cpus is not None:
            self._free_cpus -= wanted.cpus
        lent, self._free_gpus = self._free_gpus[: wanted.gpus], self._free_gpus[wanted.gpus :]
        return Lease(cpus=wanted.cpus, gpus=tuple(lent))

    def give_back(self, lease: Lease) -> None:
        """Takes a lease back; call it once for each."""
        self._free_jobs += 1
        if self._free_cpus is not None:
            self._free_cpus += lease.cpus
        self._free_gpus.extend(lease.gpus)
