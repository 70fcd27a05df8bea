"""The application, as Hydra hands it on."""

from __future__ import annotations

from dataclasses import dataclass

from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass(slots=True)
class Application:
    """What Hydra gives a launcher: the task, the context, and the sweep's own config."""

    task_function: TaskFunction
    context: HydraContext
    config: DictConfig
