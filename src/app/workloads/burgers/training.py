"""Training: fits the encoder, then the operator, and lets validation choose; goes on from a checkpoint after a kill."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import runyard
from app.workloads.checkpoint import CHECKPOINT_FILE, load_checkpoint, save_checkpoint
from app.workloads.files import remove_leftovers
from runyard import checkpoint

from .config import BurgersConfig, settled, validate
from .data import Solutions, split, symmetric_copies
from .encoder import Encoder, fit_encoder
from .measures import nrmse
from .mlp import Mlp, MlpTraining, start_mlp
from .model import MODEL_FILE, Model, Operator, rollout, save_model
from .ridge import STRENGTHS, fit_ridge
from .solver import Floats

log = logging.getLogger(__name__)

CURVE_TABLE = "learning"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Latents:
    """Scaled latent states: pairs a step apart to learn from, and whole trajectories to choose by.

    Attributes:
        now: Shape (pairs, latent_dim).
        then: The same states a step later.
        fields: Validation solutions every `step` frames, shape (trajectories, times, points).
    """

    encoder: Encoder
    scale: float
    now: Floats
    then: Floats
    fields: Floats

    def validate(self, operator: Callable[[Floats], Floats]) -> float:
        """NRMSE of rollouts from the start of the validation trajectories; inf for one that blows up."""
        start = self.encoder.encode(self.fields[:, 0]) / self.scale
        states = rollout(operator, start, self.fields.shape[1] - 1)
        with np.errstate(over="ignore", invalid="ignore"):
            value = nrmse(self.encoder.decode(states * self.scale), self.fields[:, 1:])
        return value if math.isfinite(value) else math.inf


def train(
    cfg: BurgersConfig, data: Solutions, folder: Path, *, on_checkpoint: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Learns a model and writes `model.npz`; an MLP's training keeps `checkpoint.npz` while at work.

    Adds rows to the run's table `learning`: `operator`, `step` (epochs done, or the place in the list of
    regularisations), `train_mse` (MLP), `strength` (ridge) and `val_nrmse` (rollouts). When the folder has a
    checkpoint the training goes on from there, and ends with what it would have ended with. At the checkpoint signal
    it saves what it has, and ends.

    Args:
        cfg: The configuration; `seed` decides every draw.
        data: The solutions; those held out are not looked at.
        folder: An existing folder of its own.
        on_checkpoint: Called after each checkpoint with the epochs done.

    Returns:
        `val_nrmse` of the model chosen, `pairs` learned from, `chose_mlp` (1 or 0), and `epochs_done` with an MLP.
        `val_nrmse` is inf when every operator blows up.

    Raises:
        UsageError: The configuration makes no sense, the checkpoint belongs to another one, or no run is active.
        Requeue: The checkpoint signal came; the checkpoint is written.
    """
    cfg = settled(cfg)
    validate(cfg)
    remove_leftovers(folder)
    latents = _latents(cfg, data)
    found: list[tuple[float, Operator]] = []
    metrics: dict[str, Any] = {"pairs": len(latents.now)}
    curve: list[dict[str, Any]] = []
    if cfg.operator in ("mlp", "best"):
        training = _MlpRun(cfg, data, latents)
        training.run(folder / CHECKPOINT_FILE, on_checkpoint)
        found.append((training.best, training.chosen))
        metrics["epochs_done"] = training.epochs
        curve += training.rows()
        latents = training.latents
    if cfg.operator in ("ridge", "best"):
        rows, best = _ridge(cfg, latents)
        curve += rows
        found.append(best)
    value, operator = min(found, key=lambda item: item[0])
    save_model(
        folder / MODEL_FILE, Model(encoder=latents.encoder, scale=latents.scale, operator=operator, step=cfg.step)
    )
    runyard.table(CURVE_TABLE).extend(curve)
    return {**metrics, "val_nrmse": value, "chose_mlp": int(isinstance(operator, Mlp))}


def _latents(cfg: BurgersConfig, data: Solutions, encoder: Encoder | None = None) -> _Latents:
    parts = split(cfg)
    fields = symmetric_copies(data.frames[parts.training], cfg.copies)
    if encoder is None:
        encoder = fit_encoder(cfg.encoder, fields.reshape(-1, fields.shape[2]), cfg.latent_dim, cfg.seed)
    states = encoder.encode(fields)
    scale = float(np.sqrt((states**2).mean()))
    states = states / scale
    return _Latents(
        encoder=encoder,
        scale=scale,
        now=states[:, : -cfg.step].reshape(-1, cfg.latent_dim),
        then=states[:, cfg.step :].reshape(-1, cfg.latent_dim),
        fields=data.frames[parts.validation, :: cfg.step],
    )


def _ridge(cfg: BurgersConfig, latents: _Latents) -> tuple[list[dict[str, Any]], tuple[float, Operator]]:
    operators = fit_ridge(latents.now, latents.then, cfg.degree)
    values = [latents.validate(operator) for operator in operators]
    rows = [
        {"operator": "ridge", "step": step, "strength": strength, "val_nrmse": value}
        for step, (strength, value) in enumerate(zip(STRENGTHS, values, strict=True))
    ]
    best = int(np.argmin(values))
    return rows, (values[best], operators[best])


class _MlpRun:
    """An MLP's training under way, with the best network so far by validation."""

    def __init__(self, cfg: BurgersConfig, data: Solutions, latents: _Latents) -> None:
        self._cfg = cfg
        self._data = data
        self._rng = np.random.default_rng([cfg.seed, 3])
        self.latents = latents
        self._training = MlpTraining(start_mlp(cfg.latent_dim, cfg.hidden, self._rng).arrays())
        self.chosen = self._training.operator()
        self.best = math.inf
        self.epochs = 0
        self._curve: list[tuple[float, float]] = []

    def rows(self) -> list[dict[str, Any]]:
        """The learning curve, a row per epoch."""
        return [
            {"operator": "mlp", "step": epoch, "train_mse": loss, "val_nrmse": value}
            for epoch, (loss, value) in enumerate(self._curve, start=1)
        ]

    def run(self, path: Path, on_checkpoint: Callable[[int], None] | None) -> None:
        """Trains to the last epoch, from the checkpoint where there is one."""
        self._resume(path)
        saved = self.epochs
        while self.epochs < self._cfg.epochs:
            if checkpoint.requested():
                self._save(path)
                raise checkpoint.Requeue(f"the training is saved at epoch {self.epochs}")
            if self.epochs - saved >= self._cfg.checkpoint_every:
                self._save(path)
                saved = self.epochs
                if on_checkpoint is not None:
                    on_checkpoint(self.epochs)
            self._epoch()
        self._save(path)

    def _epoch(self) -> None:
        cfg, latents = self._cfg, self.latents
        rate = cfg.learning_rate * (1 + math.cos(math.pi * self.epochs / cfg.epochs)) / 2
        loss = self._training.epoch(latents.now, latents.then, batch=cfg.batch, rate=rate, rng=self._rng)
        self.epochs += 1
        operator = self._training.operator()
        value = latents.validate(operator)
        self._curve.append((loss, value))
        if value < self.best:
            self.best, self.chosen = value, operator

    def _save(self, path: Path) -> None:
        training = self._training
        arrays: dict[str, npt.NDArray[Any]] = {
            "down": self.latents.encoder.down,
            "up": self.latents.encoder.up,
            "epochs": np.array(self.epochs),
            "updates": np.array(training.updates),
            "best": np.array(self.best),
            "curve": np.array(self._curve, dtype=np.float64).reshape(-1, 2),
        }
        groups = (
            ("now", training.parameters),
            ("first", training.first),
            ("second", training.second),
            ("chosen", self.chosen.arrays()),
        )
        arrays |= {f"{group}_{name}": value for group, values in groups for name, value in values.items()}
        save_checkpoint(path, _course(self._cfg), self._rng, arrays)

    def _resume(self, path: Path) -> None:
        saved = load_checkpoint(path, _course(self._cfg), self._rng)
        if saved is None:
            return
        self.latents = _latents(self._cfg, self._data, Encoder(down=saved["down"], up=saved["up"]))
        training = self._training
        training.parameters = _group(saved, "now")
        training.first, training.second = _group(saved, "first"), _group(saved, "second")
        training.updates = int(saved["updates"])
        self.chosen = Mlp(**_group(saved, "chosen"))
        self.best, self.epochs = float(saved["best"]), int(saved["epochs"])
        self._curve = [(float(loss), float(value)) for loss, value in saved["curve"]]
        log.info("training goes on from epoch %d", self.epochs)


def _group(saved: dict[str, npt.NDArray[Any]], group: str) -> dict[str, Floats]:
    return {name.removeprefix(f"{group}_"): value for name, value in saved.items() if name.startswith(f"{group}_")}


_NOT_TRAINING = ("name", "checkpoint_every", "gate_ratio", "gate_metrics", "nrmse_threshold", "operator", "degree")
"""Fields that leave the course of a training as it is."""


def _course(cfg: BurgersConfig) -> dict[str, Any]:
    """The settings on which the course of a training depends: its checkpoint belongs to them."""
    return {key: value for key, value in asdict(cfg).items() if key not in _NOT_TRAINING}
