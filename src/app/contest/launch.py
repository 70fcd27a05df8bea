"""Launch: one recorded run of the workload in a process of its own, from options to what it left."""

from __future__ import annotations

import dataclasses
import difflib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.workloads.contest.config import ContestConfig, OptimizerConfig, SamplerConfig, SimConfig, VariantsConfig
from runyard import RunyardError, UsageError, quoted

#: the variable that names a file for the run's directory; see docs/configuration.md.
ANNOUNCE = "RUNYARD_ANNOUNCE_FILE"

SECTIONS: Mapping[str, type] = {
    "variants": VariantsConfig,
    "optimizer": OptimizerConfig,
    "sampler": SamplerConfig,
    "sim": SimConfig,
}

_RECORDER = "hydra.callbacks.runyard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for.

    Attributes:
        slate: Name of the slate.
        contest: Name of the contest.
        seed: Seed of variants, field and worlds.
        tag: A word for the manifest and the registry; may be empty.
        sections: By section, its keys and values.
        inputs: ``slates``, ``projections``, ``player_ids``, ``contests``, where they are not the default.
        runs_dir: The run lies in ``runs_dir/slate/run_id``.
        overrides: Further overrides, which win.
    """

    slate: str = ContestConfig.slate
    contest: str = ContestConfig.contest
    seed: int = 0
    tag: str = ""
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    inputs: Mapping[str, str | None] = field(default_factory=dict)
    runs_dir: str = "outputs"
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended: its exit code, and its directory (None where it had none)."""

    code: int
    folder: Path | None

    def read(self, name: str) -> Any:
        """The content of a JSON file in the run's directory."""
        if self.folder is None:
            raise RunyardError("the run has told no directory")
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def head(self) -> dict[str, Any]:
        """``run_id``, ``artifact_path`` and ``metrics_head``."""
        manifest = self.read("manifest.json")
        told = {"run_id": manifest["run_id"], "artifact_path": str(self.folder)}
        return {**told, "metrics_head": manifest["metrics_head"]}


def overrides_of(request: Request) -> list[str]:
    """The words after ``python -m app`` that stand for a request.

    Raises:
        UsageError: a section has a key that there is not, or a value of a kind that a command line cannot hold.
    """
    values: dict[str, Any] = {
        **{f"workload.{key}": getattr(request, key) for key in ("slate", "contest", "seed", "tag")},
        **{f"workload.{key}": value for key, value in request.inputs.items() if value is not None},
        f"{_RECORDER}.experiment": request.slate,
        f"{_RECORDER}.single_root": request.runs_dir,
        f"{_RECORDER}.tags": [request.tag] if request.tag else [],
        f"{_RECORDER}.note": f"{request.contest} on {request.slate}",
        f"{_RECORDER}.exclude_keys": ["workload.tag"],
    }
    for section, keys in request.sections.items():
        check_section(section, keys, where=f"workload.{section}")
        values.update({f"workload.{section}.{key}": value for key, value in keys.items()})
    return ["workload=contest", *(f"{key}={quoted(value)}" for key, value in values.items()), *request.overrides]


def check_section(section: str, keys: Mapping[str, Any], *, where: str) -> None:
    """Checks the names of a section's keys.

    Raises:
        UsageError: there is no such key; the closest is named.
    """
    known = [item.name for item in dataclasses.fields(SECTIONS[section])]
    for key in keys:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise UsageError(f"unknown key {key!r}", where=where, todo=f"{hint}Known: {', '.join(known)}")


def start(request: Request) -> Ended:
    """Runs the application, and returns when it has ended; what it prints goes to standard error.

    Raises:
        UsageError: the request has a key that there is not.
    """
    command = [sys.executable, "-m", "app", *overrides_of(request)]
    with tempfile.TemporaryDirectory(prefix="contest-") as scratch:
        announced = Path(scratch) / "directory"
        environment = {**os.environ, ANNOUNCE: str(announced)}
        # what the run says of itself goes beside our own words, which are a result
        code = _wait(subprocess.Popen(command, env=environment, stdout=sys.stderr.fileno()))
        folder = Path(announced.read_text(encoding="utf-8").rstrip("\n")) if announced.exists() else None
    if code == 0 and folder is None:
        raise RunyardError("the run has told no directory; turn its record on: runyard=local")
    return Ended(code=code, folder=folder)


def _wait(process: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the terminal has told the run as well: its end is its own
            continue
