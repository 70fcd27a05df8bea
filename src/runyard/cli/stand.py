"""How a sweep stands, wherever it runs: the commands that look ask here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from runyard.cluster import WorkerStanding
    from runyard.orchestrate import SweepStatus


class Stands(NamedTuple):
    """A sweep as it stands, its workers in Slurm (none where it runs on this machine), and why Slurm was not asked."""

    status: SweepStatus
    workers: Sequence[WorkerStanding] = ()
    unsure: str = ""


def standing_of(sweep_dir: Path) -> Stands:
    """A sweep as it stands, wherever it runs.

    Raises:
        RecordError: the directory is not that of a sweep.
    """
    from runyard.cluster import Observer, is_on_cluster  # loads Hydra
    from runyard.orchestrate import status

    if not is_on_cluster(sweep_dir):
        return Stands(status(sweep_dir))
    standing = Observer(sweep_dir, least_s=0.0).look()
    return Stands(standing.status, standing.workers, standing.unsure)
