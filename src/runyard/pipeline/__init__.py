"""Stages inside a job, and results that jobs have in common. Knows the run at work; knows no sweep."""

from runyard.pipeline.shared import shared
from runyard.pipeline.stage import run_stage

__all__ = ["run_stage", "shared"]
