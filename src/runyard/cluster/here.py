"""The program that runs on this machine what was submitted to Slurm, from its frozen code."""

from __future__ import annotations

import sys
from typing import NoReturn

from runyard.cluster.worker import moved_entry
from runyard.orchestrate import main


def start() -> NoReturn:
    """The command; its arguments are those of ``python -m runyard.orchestrate``."""
    sys.exit(main(sys.argv[1:], moved_entry))
