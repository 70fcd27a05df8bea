"""The MLP operator: a latent state's change by a network with one hidden layer, trained by Adam, epoch by epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .solver import Floats

PARAMETERS = ("w1", "b1", "w2", "b2")

_BETA1, _BETA2, _TINY = 0.9, 0.999, 1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Mlp:
    """z -> z + tanh(z @ w1 + b1) @ w2 + b2, for scaled states."""

    w1: Floats
    b1: Floats
    w2: Floats
    b2: Floats

    def __call__(self, latents: Floats) -> Floats:
        """The states a step later; shape (n, latent_dim) in and out."""
        return latents + np.tanh(latents @ self.w1 + self.b1) @ self.w2 + self.b2

    def arrays(self) -> dict[str, Floats]:
        """The parameters by name."""
        return {name: getattr(self, name) for name in PARAMETERS}


def start_mlp(latent_dim: int, hidden: int, rng: np.random.Generator) -> Mlp:
    """A network with random first layer that leaves states where they are."""
    return Mlp(
        w1=rng.normal(size=(latent_dim, hidden)) / math.sqrt(latent_dim),
        b1=np.zeros(hidden),
        w2=np.zeros((hidden, latent_dim)),
        b2=np.zeros(latent_dim),
    )


class MlpTraining:
    """A training under way: parameters, what Adam remembers, and the updates done."""

    def __init__(self, parameters: dict[str, Floats]) -> None:
        self.parameters = {name: parameters[name].copy() for name in PARAMETERS}
        self.first = {name: np.zeros_like(value) for name, value in self.parameters.items()}
        self.second = {name: np.zeros_like(value) for name, value in self.parameters.items()}
        self.updates = 0

    def operator(self) -> Mlp:
        """The network as it stands."""
        return Mlp(**{name: value.copy() for name, value in self.parameters.items()})

    def epoch(self, now: Floats, then: Floats, *, batch: int, rate: float, rng: np.random.Generator) -> float:
        """Learns from all pairs once, in a random order.

        Returns:
            The mean squared error over the epoch, each pair measured before it was learned from.
        """
        order = rng.permutation(len(now))
        total = 0.0
        for first in range(0, len(now), batch):
            chosen = order[first : first + batch]
            loss, gradients = _gradients(self.parameters, now[chosen], then[chosen])
            total += loss * len(chosen)
            self._update(gradients, rate)
        return total / len(now)

    def _update(self, gradients: dict[str, Floats], rate: float) -> None:
        """Adam (Kingma and Ba 2015, algorithm 1)."""
        self.updates += 1
        for name, gradient in gradients.items():
            first = self.first[name] = _BETA1 * self.first[name] + (1 - _BETA1) * gradient
            second = self.second[name] = _BETA2 * self.second[name] + (1 - _BETA2) * gradient**2
            direction = (first / (1 - _BETA1**self.updates)) / (np.sqrt(second / (1 - _BETA2**self.updates)) + _TINY)
            self.parameters[name] = self.parameters[name] - rate * direction


def _gradients(parameters: dict[str, Floats], now: Floats, then: Floats) -> tuple[float, dict[str, Floats]]:
    """The mean squared error of the predicted states, and its derivatives by the parameters."""
    active = np.tanh(now @ parameters["w1"] + parameters["b1"])
    error = now + active @ parameters["w2"] + parameters["b2"] - then
    outer = 2 * error / error.size
    inner = (outer @ parameters["w2"].T) * (1 - active**2)
    gradients = {"w1": now.T @ inner, "b1": inner.sum(axis=0), "w2": active.T @ outer, "b2": outer.sum(axis=0)}
    return float((error**2).mean()), gradients
