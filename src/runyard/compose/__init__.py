"""From a job's overrides to its config; the only room that knows Hydra's internals."""

from runyard.compose.capture import CapturedApplication, run_captured
from runyard.compose.composer import Composer, Frozen, is_same_config, number_job
from runyard.compose.key import output_dir, run_key

__all__ = [
    "CapturedApplication",
    "Composer",
    "Frozen",
    "is_same_config",
    "number_job",
    "output_dir",
    "run_captured",
    "run_key",
]
