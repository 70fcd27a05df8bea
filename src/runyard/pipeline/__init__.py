"""Stages inside a job, results that jobs share, the signal to save. Knows the run at work; knows no sweep."""

from runyard.pipeline import checkpoint
from runyard.pipeline.shared import shared
from runyard.pipeline.stage import ELSEWHERE_VARIABLE, StageElsewhere, run_stage

__all__ = ["ELSEWHERE_VARIABLE", "StageElsewhere", "checkpoint", "run_stage", "shared"]
