"""What sbatch said when it refused: which key it is about, and what to do now. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

from runyard.base import UsageError
from runyard.execute.slurm.command import SlurmError
from runyard.execute.slurm.options import SlurmOptions

#: words of sbatch in lower case, the keys that they may be about, and what to do. The first key that was given counts.
_FAULTS = (
    ("invalid account", ("account",), "name an account that you may use: sacctmgr show assoc user=$USER"),
    ("invalid qos", ("qos",), "name a QOS that you may use: sacctmgr show qos"),
    ("submit limit|policy|maxsubmit", ("workers",), "ask for fewer workers, or less; see: sacctmgr show assoc"),
    ("memory|mem_per", ("mem_gb", "mem_per_cpu", "mem_per_gpu"), "ask for less; see: sinfo -o '%P %m'"),
    ("cpu count", ("cpus_per_task", "tasks_per_node"), "ask for fewer; see: sinfo -o '%P %c'"),
    ("invalid feature", ("constraint",), "name a feature that nodes have: sinfo -o '%N %f'"),
    ("invalid node name", ("nodelist", "exclude"), "name nodes that there are: sinfo -N"),
    (
        "generic resource|gres|trackable|gpu",
        ("gpus_per_node", "gpus_per_task", "gres", "gpus"),
        "ask for what nodes have: sinfo -o '%N %G'",
    ),
    ("time limit", ("timeout_min",), "ask for less time; the limits are: sinfo -o '%P %l'"),
    ("reservation", ("reservation",), "name one that there is: scontrol show reservation"),
    ("license", ("licenses",), "name what there is: scontrol show licenses"),
    ("dependency", ("dependency",), "name jobs that there are: squeue --me"),
    ("node count|node limit", ("nodes",), "ask for fewer nodes; see: sinfo -o '%P %D'"),
    ("array", ("workers",), "ask for fewer workers"),
    (
        "node configuration",
        ("gpus_per_node", "gpus_per_task", "gres", "mem_gb", "cpus_per_task", "nodes"),
        "ask for what a node has: sinfo -o '%P %D %c %m %G'",
    ),
)
_SILENT = r"unable to contact|connection refused|timed out|configuration (source|file)|fetch_config"
#: options of sbatch whose keys have names of their own.
_KEYS = {"time": "timeout_min", "mem": "mem_gb", "ntasks_per_node": "tasks_per_node", "array": "workers"}


def refusal(error: SlurmError, options: SlurmOptions, partitions: Collection[str]) -> UsageError:
    """The error for the user.

    Args:
        error: what sbatch said.
        options: what it was asked for.
        partitions: those of the cluster; none where that is not known.
    """
    said = re.sub(r"(?m)^(sbatch|scontrol): (error: |fatal: )?", "", error.said)
    lines = list(dict.fromkeys(line.strip() for line in said.splitlines() if "--help" not in line))
    what = f"Slurm refuses the workers: {'; '.join(lines)}"
    words = said.lower()
    if "invalid partition" in words:
        return UsageError(what, where="hydra.launcher.partition", todo=_partition(options.partition, partitions))
    if named := re.search(r"(?:invalid |option '|ambiguous option: ')--?([a-z][a-z0-9-]*)", words):
        option = named.group(1).replace("-", "_")
        key = _KEYS.get(option, option)
        return UsageError(what, where=f"hydra.launcher.{key}", todo="see: man sbatch")
    if error.is_silence or re.search(_SILENT, words):
        return UsageError(f"Slurm does not answer: {'; '.join(lines)}", where="sbatch", todo="try again: see sinfo")
    for pattern, keys, todo in _FAULTS:
        if re.search(pattern, words):
            return UsageError(what, where=f"hydra.launcher.{_given(keys, options)}", todo=todo)
    return UsageError(what, where="hydra.launcher", todo="change what is asked for; nothing was submitted")


def _given(keys: tuple[str, ...], options: SlurmOptions) -> str:
    for key in keys:
        if getattr(options, key, None) is not None or key in options.additional_parameters:
            return key
    return keys[0]


def _partition(given: str | None, known: Collection[str]) -> str:
    close = difflib.get_close_matches(given or "", known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}The partitions are: {', '.join(known)}" if known else "name one that there is: sinfo"
