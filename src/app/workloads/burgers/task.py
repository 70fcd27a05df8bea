"""The job: data, training, evaluation, gates."""

from __future__ import annotations

import functools
from typing import Any

import runyard

from .config import BurgersConfig, settled, validate
from .data import Solutions, describe, solutions
from .evaluation import evaluate
from .gates import REPORT_FILE, report
from .model import MODEL_FILE
from .training import train

DATA_STAGE = "data"
TRAIN_STAGE = "train"
EVALUATE_STAGE = "evaluate"
GATES_STAGE = "gates"


def run(cfg: BurgersConfig) -> dict[str, Any]:
    """Runs the four stages of a job in the run at work, each in its own folder, and returns the metrics of all.

    A stage starts when the one before it is done, and not at all when that failed. A later attempt of the job goes on
    from the training's checkpoint, or with the first stage that was not done. The run's directory gets `report.json`.

    Raises:
        UsageError: The configuration makes no sense, or no run is active.
    """
    settings = settled(cfg)
    validate(settings)

    @functools.cache
    def data() -> Solutions:
        return solutions(settings)

    described = runyard.run_stage(DATA_STAGE, lambda folder: describe(data()))
    trained = runyard.run_stage(TRAIN_STAGE, lambda folder: train(settings, data(), folder))
    evaluated = runyard.run_stage(
        EVALUATE_STAGE,
        lambda folder: evaluate(settings, data(), folder.parent / TRAIN_STAGE / MODEL_FILE, folder),
    )
    judged = runyard.run_stage(GATES_STAGE, lambda folder: report(settings, evaluated, folder.parent / REPORT_FILE))
    return {**evaluated, **judged, **trained, **described}
