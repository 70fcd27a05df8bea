"""The job: train, then evaluate what was trained."""

from __future__ import annotations

from typing import Any

import runyard

from .config import ArenaConfig, settled, validate
from .evaluation import evaluate
from .policy import POLICY_FILE
from .training import train

TRAIN_STAGE = "train"
EVALUATE_STAGE = "evaluate"


def run(cfg: ArenaConfig) -> dict[str, Any]:
    """Runs the two stages of a job in the run at work, each in its own folder, and returns the metrics of both.

    The evaluation starts when the training is done, and not at all when it failed. A later attempt of the job goes
    on from the training's checkpoint, or with the evaluation when the training was done.

    Raises:
        UsageError: The configuration makes no sense, or no run is active.
    """
    settings = settled(cfg)
    validate(settings)
    trained = runyard.run_stage(TRAIN_STAGE, lambda folder: train(settings, folder))
    evaluated = runyard.run_stage(
        EVALUATE_STAGE,
        lambda folder: evaluate(settings, folder.parent / TRAIN_STAGE / POLICY_FILE, folder),
    )
    return {**trained, **evaluated}
