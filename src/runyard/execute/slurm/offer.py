"""What a cluster has to offer, and whether what is asked for could ever be had. Pure.

Slurm takes some requests that no node can ever meet, and lets them wait for ever. ``sbatch --test-only`` does not tell
them from requests that wait for nodes which are down today.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from runyard.base import UsageError
from runyard.execute.slurm.options import SlurmOptions

#: of sinfo: every kind of node of each partition by itself, those that are down or hidden too.
SINFO = ("sinfo", "-a", "-e", "-h", "-o", "%P|%D|%c|%m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """Nodes of one kind in one partition: how many, and the processors and the memory (MiB) of each."""

    partition: str
    count: int
    cpus: int
    memory_mb: int


def parse_sinfo(text: str) -> list[Nodes]:
    """The nodes from what ``SINFO`` prints; lines of another shape are passed over."""
    found = []
    for line in text.splitlines():
        name, *numbers = line.strip().split("|")
        if len(numbers) == 3 and all(number.isdigit() for number in numbers):
            count, cpus, memory_mb = map(int, numbers)
            found.append(Nodes(partition=name.rstrip("*"), count=count, cpus=cpus, memory_mb=memory_mb))
    return found


def impossible(options: SlurmOptions, nodes: Sequence[Nodes]) -> UsageError | None:
    """Why no nodes can ever give what is asked for; None where some might.

    Without a partition all are looked at: a site may choose one by its own rules. A partition that sinfo does not show
    is left to sbatch, and so are gpus.
    """
    named = (options.partition or "").split(",")
    fit = [kind for kind in nodes if kind.partition in named] if options.partition else list(nodes)
    if not fit:
        return None
    place = f"partition {options.partition}" if options.partition else "any partition"
    count = max(_counts(fit).values())
    cpus, memory_mb = max(kind.cpus for kind in fit), max(kind.memory_mb for kind in fit)
    wanted_cpus = options.tasks_per_node * (options.cpus_per_task or 1)
    if options.additional_parameters.get("overcommit"):  # tasks share processors then
        wanted_cpus = 1
    wanted_mb = (options.mem_gb or 0) * 1024
    if options.nodes > count:
        return _too_much("nodes", f"{options.nodes} nodes", f"{count} in {place}")
    if wanted_cpus > cpus:
        key = "cpus_per_task" if options.cpus_per_task else "tasks_per_node"
        return _too_much(key, f"{wanted_cpus} processors of one node", f"{cpus} in {place}")
    if wanted_mb > memory_mb:
        return _too_much("mem_gb", f"{options.mem_gb:g} GB of one node", f"{memory_mb / 1024:.4g} GB in {place}")
    return None


def partitions(nodes: Sequence[Nodes]) -> Collection[str]:
    """The names of the partitions, sorted."""
    return sorted(_counts(nodes))


def _counts(nodes: Sequence[Nodes]) -> dict[str, int]:
    found: dict[str, int] = {}
    for kind in nodes:
        found[kind.partition] = found.get(kind.partition, 0) + kind.count
    return found


def _too_much(key: str, wanted: str, most: str) -> UsageError:
    return UsageError(
        f"no part of this cluster has {wanted}, so the workers would never start",
        where=f"hydra.launcher.{key}",
        todo=f"ask for at most {most}",
    )
