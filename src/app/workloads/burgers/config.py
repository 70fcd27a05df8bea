"""The configuration of the Burgers workload: what can be set, and which values make sense."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from runyard import UsageError

ENCODERS = ("pod", "random")
OPERATORS = ("ridge", "mlp", "best")
GATED = ("final_nrmse", "nrmse_one_step", "mse", "mae")

MAX_FEATURES = 4000
"""Polynomial features beyond this make the least squares of the operator slow and large."""


@dataclass
class BurgersConfig:
    """Everything that data, training, evaluation and gates depend on.

    Attributes:
        name: The workload's name.
        seed: Seed of the training: the split into training and validation, random features, the MLP's start and order.
        data_seed: Seed of the initial conditions; the same for all jobs that are to be compared.
        trajectories: Solutions computed, 16 to 256. The last quarter is held out for the evaluation.
        nx: Points of a solution as the model sees it: 64, 128 or 256.
        solver_nx: Points of the solver's grid, a multiple of nx.
        frames: Times from 0 to 2 at which solutions are kept, the first and the last included.
        step: Frames that the operator moves on at once; frames - 1 is a multiple of it.
        copies: Each training solution is learned from in so many symmetric copies; 1 or an even number.
        encoder: `pod` (proper orthogonal decomposition) or `random` (random smooth features).
        latent_dim: Numbers that a solution is encoded in.
        operator: `ridge` (on polynomial features), `mlp`, or `best`: both, and validation chooses.
        degree: Highest degree of the polynomial features, 1 to 3.
        hidden: Width of the MLP's hidden layer.
        epochs: Times that the MLP sees all pairs.
        batch: Pairs between two updates of the MLP.
        learning_rate: Step of the MLP's optimiser (Adam) at the start; falls to 0 along a cosine.
        checkpoint_every: Epochs between two checkpoints: at most so many are lost by a kill.
        gate_ratio: A gated metric may be at most this many times what persistence gives.
        gate_metrics: Metrics compared with persistence.
        nrmse_threshold: What final_nrmse may be at most; None asks for nothing.
    """

    name: str = "burgers"
    seed: int = 0
    data_seed: int = 0
    trajectories: int = 128
    nx: int = 128
    solver_nx: int = 512
    frames: int = 41
    step: int = 2
    copies: int = 24
    encoder: str = "pod"
    latent_dim: int = 16
    operator: str = "best"
    degree: int = 2
    hidden: int = 128
    epochs: int = 20
    batch: int = 256
    learning_rate: float = 0.003
    checkpoint_every: int = 5
    gate_ratio: float = 0.9
    gate_metrics: list[str] = field(default_factory=lambda: ["final_nrmse", "nrmse_one_step"])
    nrmse_threshold: float | None = None


def settled(cfg: BurgersConfig) -> BurgersConfig:
    """A plain copy of a configuration, which may be an OmegaConf node with the same fields."""
    values: dict[str, Any] = {item.name: getattr(cfg, item.name) for item in fields(BurgersConfig)}
    metrics = values["gate_metrics"]
    values["gate_metrics"] = list(metrics) if isinstance(metrics, Iterable) else metrics
    return BurgersConfig(**values)


_RANGES = {
    "seed": (0, None),
    "data_seed": (0, None),
    "trajectories": (16, 256),
    "frames": (3, 401),
    "step": (1, None),
    "copies": (1, 64),
    "latent_dim": (1, None),
    "degree": (1, 3),
    "hidden": (1, 4096),
    "epochs": (1, None),
    "batch": (1, None),
    "checkpoint_every": (1, None),
}


def feature_count(latent_dim: int, degree: int) -> int:
    """Monomials of `latent_dim` variables up to `degree`, the constant included."""
    return math.comb(latent_dim + degree, degree)


def validate(cfg: BurgersConfig) -> None:
    """Checks every field, and those that depend on one another.

    Raises:
        UsageError: a value is out of its range; it names the field and what is allowed.
    """
    for key, (low, high) in _RANGES.items():
        _check_whole(cfg, key, low, high)
    _check_real(cfg, "learning_rate", 1.0)
    _check_real(cfg, "gate_ratio", 100.0)
    if cfg.nrmse_threshold is not None:
        _check_real(cfg, "nrmse_threshold", math.inf)
    _check_name(cfg.encoder, "encoder", ENCODERS)
    _check_name(cfg.operator, "operator", OPERATORS)
    _check_gates(cfg)
    _check_grid(cfg)
    _check_model(cfg)


def _check_gates(cfg: BurgersConfig) -> None:
    names: object = cfg.gate_metrics
    if isinstance(names, str) or not isinstance(names, Iterable) or not list(names):
        raise _error(
            "gate_metrics", f"gate_metrics must be a list of metrics, not {names!r}", f"name some of {', '.join(GATED)}"
        )
    for name in names:
        _check_name(name, "gate_metrics", GATED)


def _check_grid(cfg: BurgersConfig) -> None:
    if cfg.nx not in (64, 128, 256):
        raise _error("nx", f"nx must be 64, 128 or 256, not {cfg.nx!r}", "use one of them")
    _check_whole(cfg, "solver_nx", cfg.nx, 4096)
    if cfg.solver_nx % cfg.nx:
        raise _error(
            "solver_nx",
            f"solver_nx must be a multiple of nx ({cfg.nx}), not {cfg.solver_nx}",
            f"use {4 * cfg.nx}, say",
        )
    if (cfg.frames - 1) % cfg.step:
        raise _error(
            "step",
            f"step must divide frames - 1 ({cfg.frames - 1}), and {cfg.step} does not",
            "change step or frames",
        )


def _check_model(cfg: BurgersConfig) -> None:
    if cfg.copies > 1 and cfg.copies % 2:
        raise _error(
            "copies", f"copies must be 1 or an even number, not {cfg.copies}", "half are shifted, half mirrored as well"
        )
    if cfg.latent_dim > cfg.nx // 2:
        raise _error(
            "latent_dim",
            f"latent_dim must be at most half of nx ({cfg.nx // 2}), not {cfg.latent_dim}",
            "take fewer latent numbers or more points",
        )
    count = feature_count(cfg.latent_dim, cfg.degree)
    if cfg.operator != "mlp" and count > MAX_FEATURES:
        raise _error(
            "degree",
            f"degree {cfg.degree} with latent_dim {cfg.latent_dim} makes {count} features, more than {MAX_FEATURES}",
            "take a lower degree, a smaller latent_dim, or operator=mlp",
        )


def _check_whole(cfg: BurgersConfig, key: str, low: int, high: int | None) -> None:
    value = getattr(cfg, key)
    if isinstance(value, bool) or not isinstance(value, int) or value < low or (high is not None and value > high):
        allowed = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise _error(key, f"{key} must be a whole number {allowed}, not {value!r}", "use one in this range")


def _check_real(cfg: BurgersConfig, key: str, high: float) -> None:
    value = getattr(cfg, key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= high:
        limit = "" if high == math.inf else f" and at most {high:g}"
        raise _error(
            key,
            f"{key} must be a number above 0{limit}, not {value!r}",
            f"the default is {getattr(BurgersConfig, key)}",
        )


def _check_name(value: object, key: str, known: tuple[str, ...]) -> None:
    if value not in known:
        close = difflib.get_close_matches(str(value), known, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise _error(key, f"unknown {key} {value!r}", f"{hint}Known: {', '.join(known)}")


def _error(key: str, problem: str, todo: str) -> UsageError:
    return UsageError(problem, where=f"burgers.{key}", todo=todo)
