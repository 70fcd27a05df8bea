"""Stages inside a job, results that jobs share, the signal to save. Knows the run at work; knows no sweep."""

from runyard.pipeline import checkpoint
from runyard.pipeline.declared import Stage, StageContext, StageResult
from runyard.pipeline.running import run_stages
from runyard.pipeline.shared import shared
from runyard.pipeline.stage import ELSEWHERE_VARIABLE, StageElsewhere, run_stage

__all__ = [
    "ELSEWHERE_VARIABLE",
    "Stage",
    "StageContext",
    "StageElsewhere",
    "StageResult",
    "checkpoint",
    "run_stage",
    "run_stages",
    "shared",
]
