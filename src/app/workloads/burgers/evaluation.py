"""Evaluation: a trained model on the trajectories held out, beside persistence, which predicts that nothing changes."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

import runyard
from app.workloads.files import write_text

from .config import BurgersConfig, settled, validate
from .data import END_TIME, Solutions, split
from .measures import conservation_gap, nrmse
from .model import load_model
from .solver import Floats

EVALUATION_FILE = "evaluation.json"
EVALUATION_SCHEMA = {
    "type": "object",
    "properties": {
        "model": {"type": "string"},
        "metrics": {"type": "object", "additionalProperties": {"type": "number"}},
    },
    "required": ["model", "metrics"],
}
ERRORS_TABLE = "rollout"
PERSISTENCE = "persistence_"


def evaluate(cfg: BurgersConfig, data: Solutions, model_path: Path, folder: Path) -> dict[str, float]:
    """Measures a model in physical space, and adds a row per time to the run's table `rollout`.

    The table's columns: `step`, `time`, `nrmse` and `persistence_nrmse`, over all held-out trajectories.
    The folder gets `evaluation.json` with the metrics.

    Returns:
        `final_nrmse`, `mse`, `mae` of rollouts from the start; `nrmse_one_step` from each frame to that a step
        later; the same four of persistence, named `persistence_...`; `encoder_nrmse`, what encoding and decoding
        alone costs; and `conservation_gap` of the rollouts. What is not finite is left out: it is missing.

    Raises:
        UsageError: The configuration makes no sense, the model is missing, or no run is active.
    """
    cfg = settled(cfg)
    validate(cfg)
    model = load_model(model_path)
    frames = data.frames[split(cfg).held_out]
    coarse = frames[:, :: cfg.step]
    start, true = coarse[:, 0], coarse[:, 1:]
    still = np.broadcast_to(start[:, None], true.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        predicted = model.rollout(start, true.shape[1])
        points = frames.shape[2]
        now, then = (part.reshape(-1, points) for part in (frames[:, : -cfg.step], frames[:, cfg.step :]))
        metrics = _errors(predicted, true) | {"nrmse_one_step": nrmse(model.advance(now), then)}
        metrics |= {f"{PERSISTENCE}{name}": value for name, value in _errors(still, true).items()}
        metrics |= {
            f"{PERSISTENCE}nrmse_one_step": nrmse(now, then),
            "encoder_nrmse": nrmse(model.encoder.decode(model.encoder.encode(coarse)), coarse),
            "conservation_gap": conservation_gap(predicted, start),
        }
    _emit(predicted, still, true)
    finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
    write_text(folder / EVALUATION_FILE, json.dumps({"model": model_path.name, "metrics": finite}, indent=2) + "\n")
    return finite


def _errors(predicted: Floats, true: Floats) -> dict[str, float]:
    difference = predicted - true
    return {
        "final_nrmse": nrmse(predicted, true),
        "mse": float((difference**2).mean()),
        "mae": float(np.abs(difference).mean()),
    }


def _emit(predicted: Floats, still: Floats, true: Floats) -> None:
    steps = true.shape[1]
    runyard.table(ERRORS_TABLE).extend(
        {
            "step": step + 1,
            "time": (step + 1) * END_TIME / steps,
            "nrmse": nrmse(predicted[:, step], true[:, step]),
            "persistence_nrmse": nrmse(still[:, step], true[:, step]),
        }
        for step in range(steps)
    )
