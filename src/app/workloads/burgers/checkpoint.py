"""The checkpoint of an MLP's training: all it needs to go on as if it had never stopped, the encoder included."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.workloads.files import write_npz
from runyard import UsageError

from .config import BurgersConfig

CHECKPOINT_FILE = "checkpoint.npz"

_NOT_TRAINING = ("name", "checkpoint_every", "gate_ratio", "gate_metrics", "nrmse_threshold", "operator", "degree")
"""Fields that leave the course of an MLP's training as it is."""


def save_checkpoint(
    path: Path, cfg: BurgersConfig, rng: np.random.Generator, arrays: Mapping[str, npt.NDArray[Any]]
) -> None:
    """Writes the arrays, the generator's state and what they belong to, at once and whole."""
    # JSON: the state of PCG64 holds integers of 128 bits, which no array type can
    extra = {"rng": json.dumps(rng.bit_generator.state), "training": _training(cfg)}
    write_npz(path, {**arrays, **{name: np.array(text) for name, text in extra.items()}})


def load_checkpoint(path: Path, cfg: BurgersConfig, rng: np.random.Generator) -> dict[str, npt.NDArray[Any]] | None:
    """The saved arrays, with `rng` set to where it was; None when there is no checkpoint.

    Raises:
        UsageError: The file is damaged, or of a training with another configuration.
    """
    if not path.exists():
        return None
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as exc:
        raise UsageError(
            f"the checkpoint cannot be read: {exc}", where=str(path), todo="remove it, to train from the start"
        ) from exc
    if str(arrays.pop("training")) != _training(cfg):
        raise UsageError(
            "the checkpoint belongs to a training with another configuration",
            where=str(path),
            todo="train in an empty folder, or remove the checkpoint",
        )
    rng.bit_generator.state = json.loads(str(arrays.pop("rng")))
    return arrays


def _training(cfg: BurgersConfig) -> str:
    return json.dumps({k: v for k, v in asdict(cfg).items() if k not in _NOT_TRAINING}, sort_keys=True)
