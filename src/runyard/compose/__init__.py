"""From a job's overrides to its config; the only room that knows Hydra's internals."""

from runyard.compose.capture import CapturedApplication, run_captured
from runyard.compose.composer import Composer, Frozen, freeze_config, is_same_config, number_job
from runyard.compose.frontdoor import run_application
from runyard.compose.key import output_dir, run_key

__all__ = [
    "CapturedApplication",
    "Composer",
    "Frozen",
    "freeze_config",
    "is_same_config",
    "number_job",
    "output_dir",
    "run_application",
    "run_captured",
    "run_key",
]
