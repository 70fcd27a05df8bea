"""The job: train, then evaluate what was trained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import runyard
from runyard import Stage, StageContext

from .config import ArenaConfig, settled, validate
from .evaluation import EVALUATION_FILE, EVALUATION_SCHEMA, evaluate
from .policy import POLICY_FILE
from .training import CURVE_FILE, CURVE_SCHEMA, train

TRAIN_STAGE = "train"
EVALUATE_STAGE = "evaluate"

Inputs = Mapping[str, Mapping[str, Path]]


def run(cfg: ArenaConfig) -> dict[str, Any]:
    """Runs the two stages of a job in the run at work, each in its own folder, and returns the metrics of both.

    The evaluation starts when the training is done, and not at all when it failed. A later attempt of the job goes
    on from the training's checkpoint, or with the evaluation when the training was done.

    Raises:
        UsageError: The configuration makes no sense, or no run is active.
    """
    settings = settled(cfg)
    validate(settings)
    return runyard.run_stages(settings, STAGES)


def _train(cfg: ArenaConfig, inputs: Inputs, context: StageContext) -> dict[str, Any]:
    return train(cfg, context.dir)


def _evaluate(cfg: ArenaConfig, inputs: Inputs, context: StageContext) -> dict[str, float]:
    return evaluate(cfg, inputs[TRAIN_STAGE]["policy"], context.dir)


#: The checkpoint of the training is none of its outputs: a later attempt finds it in the stage's folder.
STAGES = (
    Stage(
        name=TRAIN_STAGE,
        function=_train,
        outputs={"policy": POLICY_FILE, "curve": {"path": CURVE_FILE, "schema": CURVE_SCHEMA}},
    ),
    Stage(
        name=EVALUATE_STAGE,
        function=_evaluate,
        needs=(TRAIN_STAGE,),
        outputs={"evaluation": {"path": EVALUATION_FILE, "schema": EVALUATION_SCHEMA}},
    ),
)
