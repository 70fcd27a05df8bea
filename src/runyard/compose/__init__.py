"""From a job's overrides to its config; the only room that knows Hydra's internals."""

from runyard.compose.asked import AskedOverride, asked_of
from runyard.compose.capture import CapturedApplication, run_captured
from runyard.compose.composed import Choices, ComposedJob, number_job
from runyard.compose.composer import Composer, Frozen, freeze_config
from runyard.compose.frontdoor import run_application, wording
from runyard.compose.job import JobOrder, Rehearsal, prepare_logging, run_as_hydra
from runyard.compose.key import output_dir, run_key
from runyard.compose.reader import OverrideReader
from runyard.compose.same import is_same_config

__all__ = [
    "AskedOverride",
    "CapturedApplication",
    "Choices",
    "ComposedJob",
    "Composer",
    "Frozen",
    "JobOrder",
    "OverrideReader",
    "Rehearsal",
    "asked_of",
    "freeze_config",
    "is_same_config",
    "number_job",
    "output_dir",
    "prepare_logging",
    "run_application",
    "run_as_hydra",
    "run_captured",
    "run_key",
    "wording",
]
