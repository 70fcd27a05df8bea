"""How a sweep stands, wherever it runs: the commands that look ask here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runyard.cluster import Standing


def standing_of(sweep_dir: Path) -> Standing:
    """A sweep as it stands now.

    Raises:
        RecordError: the directory is not that of a sweep.
    """
    from runyard.cluster import Looks  # loads Hydra

    return Looks(least_s=0.0).at(sweep_dir)
