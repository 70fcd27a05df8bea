"""Slurm's commands, as they are called: with a limit of time, and without the variables of an outer allocation."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

_SLURMS = ("SLURM_", "SLURMD_", "SBATCH_", "SRUN_", "SALLOC_", "SQUEUE_", "SACCT_", "SCANCEL_", "SINFO_", "SCONTROL_")
#: what srun and Slurm's plugins set for the processes of an allocation: it is not for those of another.
_INNER = ("PMI_", "PMI2_", "PMIX_")
_DEVICES = frozenset(
    {"CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK"}
)
_KEPT = "SLURM_CONF"
NOT_FOUND, NO_ANSWER = 127, 124


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command said. ``code`` is 127 where there is no such command, 124 where it did not answer in time."""

    code: int
    out: str = ""
    error: str = ""

    @property
    def is_good(self) -> bool:
        """Whether the command did what it was asked."""
        return self.code == 0


class Ask(Protocol):
    """A way of calling Slurm's commands: ``ask``, or a test's own."""

    def __call__(
        self, command: Sequence[str], *, timeout_s: float = 30.0, variables: Mapping[str, str] | None = None
    ) -> Answer:
        """Runs a command to its end."""
        ...


def slurm_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that Slurm's commands, and what they submit, may see.

    Those of an outer allocation would change what is asked for (variables override a script's lines), and a worker
    would take itself for a part of it. ``SLURM_CONF`` stays: it tells which cluster.
    """
    is_inside = "SLURM_JOB_ID" in environment
    return {
        name: value
        for name, value in environment.items()
        if name == _KEPT
        or not (name.startswith(_SLURMS) or (is_inside and (name.startswith(_INNER) or name in _DEVICES)))
    }


def ask(command: Sequence[str], *, timeout_s: float = 30.0, variables: Mapping[str, str] | None = None) -> Answer:
    """Runs one of Slurm's commands; never raises, whatever becomes of it.

    Args:
        command: the command and its arguments.
        timeout_s: it is killed after so many seconds.
        variables: further variables for it.
    """
    try:
        done = subprocess.run(
            command,
            env={**slurm_environment(os.environ), **(variables or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Answer(code=NO_ANSWER, error=f"{command[0]} did not answer within {timeout_s:g} s")
    except OSError as exc:
        return Answer(code=NOT_FOUND, error=f"{command[0]}: {exc.strerror}")
    return Answer(code=done.returncode, out=done.stdout, error=done.stderr)


class SlurmError(Exception):
    """A command of Slurm failed: its exit code (127: it is not there, 124: no answer in time) and what it said."""

    def __init__(self, command: str, code: int, said: str) -> None:
        super().__init__(f"{command}: {said}")
        self.command, self.code, self.said = command, code, said

    @property
    def is_silence(self) -> bool:
        """Whether there was no answer at all."""
        return self.code in (NOT_FOUND, NO_ANSWER)


def run_slurm(argv: Sequence[str]) -> str:
    """What a command of Slurm printed.

    Raises:
        SlurmError: it failed, is not there, or did not answer in time.
    """
    answer = ask(argv, variables={"LC_ALL": "C.UTF-8"})
    if not answer.is_good:
        raise SlurmError(argv[0], answer.code, (answer.error or answer.out).strip() or f"exit code {answer.code}")
    return answer.out


SHOW_CONFIG = ("scontrol", "show", "config")


def current_cluster(run: Callable[[Sequence[str]], str] = run_slurm) -> str:
    """What tells the cluster that Slurm's commands reach from others: its name, and where its controller listens.

    Raises:
        SlurmError: it does not answer.
    """
    values = dict(re.findall(r"(?m)^(ClusterName|SlurmctldHost\[0\]|SlurmctldPort)\s*=\s*(\S+)", run(SHOW_CONFIG)))
    place = ":".join(values[key] for key in ("SlurmctldHost[0]", "SlurmctldPort") if key in values)
    return f"{values.get('ClusterName', 'cluster')} at {place}"
