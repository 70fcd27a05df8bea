"""The checkpoint of a training: arrays, the generator's state, and the settings that they belong to.

Knows no workload: which settings matter comes in.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.workloads.files import write_npz
from runyard import UsageError

CHECKPOINT_FILE = "checkpoint.npz"


def save_checkpoint(
    path: Path, settings: Mapping[str, Any], rng: np.random.Generator, arrays: Mapping[str, npt.NDArray[Any]]
) -> None:
    """Writes the arrays, the generator's state and what they belong to, at once and whole."""
    # JSON: the state of PCG64 holds integers of 128 bits, which no array type can
    extra = {"rng": json.dumps(rng.bit_generator.state), "training": _text(settings)}
    write_npz(path, {**arrays, **{name: np.array(text) for name, text in extra.items()}})


def load_checkpoint(
    path: Path, settings: Mapping[str, Any], rng: np.random.Generator
) -> dict[str, npt.NDArray[Any]] | None:
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
    if str(arrays.pop("training")) != _text(settings):
        raise UsageError(
            "the checkpoint belongs to a training with another configuration",
            where=str(path),
            todo="train in an empty folder, or remove the checkpoint",
        )
    rng.bit_generator.state = json.loads(str(arrays.pop("rng")))
    return arrays


def _text(settings: Mapping[str, Any]) -> str:
    return json.dumps(dict(settings), sort_keys=True)
