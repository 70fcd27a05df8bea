"""How sweeps stand, wherever they run: for who looks and does not ask where that is."""

from __future__ import annotations

from pathlib import Path

from runyard.cluster.control import is_on_cluster
from runyard.cluster.standing import Observer, Standing
from runyard.orchestrate import status


class Looks:
    """Looks at sweeps, again and again. Slurm is asked for each of its sweeps no oftener than every ``least_s``."""

    def __init__(self, *, least_s: float = 10.0) -> None:
        self._least_s = least_s
        self._observers: dict[Path, Observer] = {}

    def at(self, sweep_dir: Path) -> Standing:
        """A sweep as it stands now; without workers where it runs on this machine.

        Raises:
            RecordError: the directory is not that of a sweep, or what was submitted cannot be read.
        """
        if not is_on_cluster(sweep_dir):
            return Standing(status=status(sweep_dir), workers=())
        return self._observers.setdefault(sweep_dir, Observer(sweep_dir, least_s=self._least_s)).look()
