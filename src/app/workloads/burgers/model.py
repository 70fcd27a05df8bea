"""The model: an encoder and an operator on its scaled latent states, how it moves solutions on, and its file."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.workloads.files import write_npz
from runyard import UsageError

from .encoder import Encoder
from .mlp import PARAMETERS, Mlp
from .ridge import Ridge
from .solver import Floats

MODEL_FILE = "model.npz"

Operator = Ridge | Mlp


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a training ends with.

    Attributes:
        encoder: From solutions to latent states and back.
        scale: Latent states are divided by it before the operator sees them.
        operator: Moves scaled states on by `step` frames.
        step: Frames.
    """

    encoder: Encoder
    scale: float
    operator: Operator
    step: int

    def advance(self, fields: Floats) -> Floats:
        """Solutions one step later; shape (n, points) in and out."""
        return self.rollout(fields, 1)[:, 0]

    def rollout(self, fields: Floats, steps: int) -> Floats:
        """Solutions after 1, 2, ... steps, never encoded anew; shape (n, steps, points)."""
        return self.encoder.decode(rollout(self.operator, self.encoder.encode(fields) / self.scale, steps) * self.scale)


def rollout(operator: Callable[[Floats], Floats], latents: Floats, steps: int) -> Floats:
    """Latent states after 1, 2, ... steps, shape (n, steps, latent_dim).

    A state whose norm has grown in a step is scaled back to the norm it had. Energy never increases in a solution, but
    that of its part in the latent space may, a little; and with random features the norm is not the energy decoded.
    So this is a bound put on the model, not a law it obeys: it keeps a rollout finite, and does not make it right.
    """
    states = np.empty((latents.shape[0], steps, latents.shape[1]))
    # what is not finite after all is an answer, which the choice by validation and the gates deal with
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(steps):
            moved = operator(latents)
            before, after = (np.linalg.norm(state, axis=1, keepdims=True) for state in (latents, moved))
            latents = moved * np.minimum(1.0, before / np.maximum(after, 1e-300))
            states[:, step] = latents
    return states


def save_model(path: Path, model: Model) -> None:
    """Writes the file at once and whole."""
    operator = model.operator
    arrays: Mapping[str, npt.NDArray[Any]] = (
        operator.arrays()
        if isinstance(operator, Mlp)
        else {"weights": operator.weights, "degree": np.array(operator.degree)}
    )
    fixed = {"down": model.encoder.down, "up": model.encoder.up, "scale": np.array(model.scale)}
    write_npz(path, {**fixed, "step": np.array(model.step), **arrays})


def load_model(path: Path) -> Model:
    """The model in a file.

    Raises:
        UsageError: There is no such file, or it is damaged.
    """
    if not path.is_file():
        raise UsageError("the model is missing", where=str(path), todo="train it first")
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as exc:
        raise UsageError(f"the model cannot be read: {exc}", where=str(path), todo="train it again") from exc
    operator: Operator = (
        Mlp(**{name: arrays[name] for name in PARAMETERS})
        if "w1" in arrays
        else Ridge(weights=arrays["weights"], degree=int(arrays["degree"]))
    )
    return Model(
        encoder=Encoder(down=arrays["down"], up=arrays["up"]),
        scale=float(arrays["scale"]),
        operator=operator,
        step=int(arrays["step"]),
    )
