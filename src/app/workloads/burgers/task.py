"""The job: data, training, evaluation, gates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import runyard
from app.workloads.files import write_text
from runyard import Stage, StageContext

from .config import BurgersConfig, settled, validate
from .data import DATA_KEYS, SOLUTIONS_FILE, load_solutions, make_solutions
from .evaluation import EVALUATION_FILE, EVALUATION_SCHEMA, evaluate
from .gates import REPORT_FILE, REPORT_SCHEMA, report
from .model import MODEL_FILE
from .training import train

DATA_STAGE = "data"
TRAIN_STAGE = "train"
EVALUATE_STAGE = "evaluate"
GATES_STAGE = "gates"

Inputs = Mapping[str, Mapping[str, Path]]


def run(cfg: BurgersConfig) -> dict[str, Any]:
    """Runs the four stages of a job in the run at work, each in its own folder, and returns the metrics of all.

    A stage starts when the one before it is done, and not at all when that failed. A later attempt of the job goes on
    from the training's checkpoint, or with the first stage that was not done. The data are computed once for all jobs
    with the same settings of the data. The run's directory gets `report.json`, a copy of that of the gates.

    Raises:
        UsageError: The configuration makes no sense, or no run is active.
    """
    settings = settled(cfg)
    validate(settings)
    metrics = runyard.run_stages(settings, STAGES)
    active = runyard.current()
    write_text(active.dir / REPORT_FILE, (active.dir / GATES_STAGE / REPORT_FILE).read_text(encoding="utf-8"))
    first = [name for stage in _TOLD_FIRST for name in active.stages[stage].metrics]
    return {name: metrics[name] for name in (*first, *(n for n in metrics if n not in first))}


def _train(cfg: BurgersConfig, inputs: Inputs, context: StageContext) -> dict[str, Any]:
    return train(cfg, load_solutions(inputs[DATA_STAGE]["solutions"]), context.dir)


def _evaluate(cfg: BurgersConfig, inputs: Inputs, context: StageContext) -> dict[str, float]:
    data = load_solutions(inputs[DATA_STAGE]["solutions"])
    return evaluate(cfg, data, inputs[TRAIN_STAGE]["model"], context.dir)


def _judge(cfg: BurgersConfig, inputs: Inputs, context: StageContext) -> dict[str, float]:
    evaluation = json.loads(inputs[EVALUATE_STAGE]["evaluation"].read_text(encoding="utf-8"))
    return report(cfg, evaluation["metrics"], context.dir / REPORT_FILE)


#: The checkpoint of the training is none of its outputs: a later attempt finds it in the stage's folder.
STAGES = (
    Stage(
        name=DATA_STAGE,
        function=make_solutions,
        cache={"keys": DATA_KEYS},
        outputs={"solutions": SOLUTIONS_FILE},
    ),
    Stage(name=TRAIN_STAGE, function=_train, needs=(DATA_STAGE,), outputs={"model": MODEL_FILE}),
    Stage(
        name=EVALUATE_STAGE,
        function=_evaluate,
        needs=(DATA_STAGE, TRAIN_STAGE),
        outputs={"evaluation": {"path": EVALUATION_FILE, "schema": EVALUATION_SCHEMA}},
    ),
    Stage(
        name=GATES_STAGE,
        function=_judge,
        needs=(EVALUATE_STAGE,),
        outputs={"report": {"path": REPORT_FILE, "schema": REPORT_SCHEMA}},
    ),
)
_TOLD_FIRST = (EVALUATE_STAGE, GATES_STAGE, TRAIN_STAGE)  # of their metrics, columns of the results
