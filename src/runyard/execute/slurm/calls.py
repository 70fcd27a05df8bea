"""Slurm's commands: run one with a time limit, in an environment of its own. Decides nothing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence

#: variables of an outer allocation, which would be taken for wishes; where Slurm's config is stays.
_SCRUBBED, _KEPT = ("SLURM_", "SBATCH_", "SLURMD_", "SRUN_", "SALLOC_"), ("SLURM_CONF", "SLURM_CONF_SERVER")
_LIMIT_S = 30.0


class SlurmError(Exception):
    """A command of Slurm failed: its exit code (None: it is not there, or took too long) and what it said."""

    def __init__(self, command: str, code: int | None, said: str) -> None:
        super().__init__(f"{command}: {said}")
        self.command, self.code, self.said = command, code, said


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables without those of an outer allocation."""
    return {name: value for name, value in environment.items() if name in _KEPT or not name.startswith(_SCRUBBED)}


def run_slurm(argv: Sequence[str], *, limit_s: float = _LIMIT_S) -> str:
    """What a command of Slurm printed.

    Raises:
        SlurmError: it failed, is not there, or took longer than ``limit_s``.
    """
    environment = {**clean_environment(os.environ), "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(argv, env=environment, capture_output=True, timeout=limit_s, check=False)
    except FileNotFoundError as exc:
        raise SlurmError(argv[0], None, "there is no such command on PATH") from exc
    except subprocess.TimeoutExpired as exc:
        raise SlurmError(argv[0], None, f"no answer within {limit_s:g} s") from exc
    if done.returncode:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
        raise SlurmError(argv[0], done.returncode, said or f"exit code {done.returncode}")
    return done.stdout.decode("utf-8", "replace")
