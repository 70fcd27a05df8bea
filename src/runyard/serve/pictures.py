"""The figures of a sweep: those that lie beside it, and one of what has come so far. Draws; writes nothing there."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from runyard.analyze import load_sweep
from runyard.record import SweepPaths
from runyard.report import summary_figure
from runyard.serve.cache import Brief
from runyard.serve.problems import NotFound
from runyard.serve.sweeps import Sweeps

#: the figure of what has come so far.
SO_FAR = "so-far.png"
#: how long a drawing of a sweep at work holds, in seconds.
_LASTS_S = 10.0


class Pictures:
    """Figures by name. One is drawn at a time: matplotlib is not made for threads."""

    def __init__(self, sweeps: Sweeps) -> None:
        self._sweeps = sweeps
        self._brief = Brief(_LASTS_S, most=8)
        self._lock = threading.Lock()

    def names(self, run_id: str) -> list[str]:
        """The figures there are: the summary first; of a sweep that has none yet, the one of what has come so far."""
        folder = self._sweeps.dir_of(run_id)
        found = [path.name for path in sorted((folder / "figures").glob("*.png"))]
        summary = SweepPaths(folder).summary_png
        if summary.is_file():
            return [summary.name, *found]
        return [SO_FAR] if any(run.metrics for run in self._sweeps.standing(run_id).runs) else []

    def png(self, run_id: str, name: str) -> bytes:
        """A figure of the list.

        Raises:
            NotFound: there is none of this name, it leads out of the roots, or it could not be drawn.
        """
        folder = self._sweeps.dir_of(run_id)
        if name == SO_FAR:
            return self._brief.get(folder, lambda: self._draw(folder))
        if name not in self.names(run_id):
            raise NotFound(f"the run {run_id!r} has no figure {name!r}")
        summary = SweepPaths(folder).summary_png
        return self._sweeps.inside(summary if name == summary.name else folder / "figures" / name).read_bytes()

    def _draw(self, folder: Path) -> bytes:
        with self._lock, tempfile.TemporaryDirectory(prefix="runyard-figure-") as scratch:
            path = Path(scratch, SO_FAR)
            said = summary_figure(load_sweep(folder), path)
            if not path.is_file():
                raise NotFound(said or "there is nothing to draw yet")
            return path.read_bytes()
