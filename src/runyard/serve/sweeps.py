"""The sweeps and single runs that a server shows: found by id below its roots, and how each stands. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from runyard.base import RecordError, SweepState
from runyard.cluster import Looks
from runyard.orchestrate import SweepStatus
from runyard.record import RunPaths, RunRecord, SweepPaths
from runyard.registry import list_sweeps
from runyard.serve.cache import Brief
from runyard.serve.problems import NotFound

#: how long an answer from the disk holds, in seconds.
_LASTS_S = 1.0


class Sweeps:
    """What lies below the roots. A registry may know sweeps elsewhere: these are not shown.

    Args:
        roots: folders above sweeps; those that are not there have none.
        lasts_s: how long what was read holds, in seconds.
    """

    def __init__(self, roots: Sequence[Path], *, lasts_s: float = _LASTS_S) -> None:
        self.roots = tuple(root.absolute() for root in roots)
        self._brief = Brief(lasts_s)
        self._looks = Looks()

    def forget(self) -> None:
        """What was read holds no longer: a sweep was started, or stopped."""
        self._brief.forget()

    def rows(self) -> list[dict[str, Any]]:
        """A row per sweep, newest first, with its state and counts as they are now: also of those at work."""
        return self._brief.get("rows", self._read_rows)

    def _read_rows(self) -> list[dict[str, Any]]:
        found = [row for root in self.roots for row in _below(root)]
        for row in found:
            if row["state"] == SweepState.RUNNING.value:
                self._bring_up(row)
        return sorted(found, key=lambda row: str(row["created_at"]), reverse=True)

    def _bring_up(self, row: dict[str, Any]) -> None:
        """The row of a sweep that may be at work. One whose files cannot be read stays as its record has it."""
        try:
            now = self._standing(Path(row["path"]))
        except RecordError:
            return
        row["state"], row["counts"] = str(now.record.state), dict(now.record.counts)

    def dir_of(self, run_id: str) -> Path:
        """The directory of the sweep with exactly this id: never a path that came with a request.

        Raises:
            NotFound: there is none below the roots.
        """
        for row in self.rows():
            if row["sweep_id"] == run_id:
                return Path(row["path"])
        raise NotFound(f"there is no run {run_id!r}", todo="GET /api/runs lists what there is")

    def standing(self, run_id: str) -> SweepStatus:
        """How a sweep stands: record, jobs, who is at work.

        Raises:
            NotFound: there is none.
            RecordError: its record cannot be read.
        """
        return self._standing(self.dir_of(run_id))

    def look_at(self, folder: Path) -> SweepStatus:
        """How the sweep of a directory stands; as ``standing``."""
        return self._standing(folder)

    def _standing(self, folder: Path) -> SweepStatus:
        return self._brief.get(folder, lambda: self._look(folder))

    def _look(self, folder: Path) -> SweepStatus:
        standing = self._looks.at(folder)
        if not standing.is_at_work:
            return standing.status
        return replace(standing.status, controller=standing.status.controller or {"host": "slurm"})

    def job(self, run_id: str, number: int) -> RunRecord:
        """One job.

        Raises:
            NotFound: there is no such sweep, or it has no job of this number.
        """
        for run in self.standing(run_id).runs:
            if run.job == number:
                return run
        raise NotFound(f"the run {run_id!r} has no job {number}", todo=f"GET /api/runs/{run_id}/jobs lists them")

    def at_work(self) -> int:
        """How many sweeps are at work now."""
        return sum(row["state"] == SweepState.RUNNING.value for row in self._fresh())

    def _fresh(self) -> list[dict[str, Any]]:
        self.forget()
        return self.rows()

    def inside(self, path: Path) -> Path:
        """The path, when it does not lead out of the roots.

        Raises:
            NotFound: it does, by a link.
        """
        place = path.resolve()
        if any(place.is_relative_to(root.resolve()) for root in self.roots):
            return path
        raise NotFound("the file is not below the roots", where=path.name)


def log_of(run: RunRecord) -> Path:
    """The file with what a job printed; where nobody kept it, what its process printed, or the log of Hydra."""
    folder = Path(run.run_dir)
    kept = (RunPaths(folder).output_log, SweepPaths(folder).start_log, *sorted(folder.glob("*.log")))
    return next((path for path in kept if path.is_file()), kept[0])


def sweep_log_of(folder: Path) -> Path:
    """The file with what the process of a sweep printed: of the last resume, else of the start.

    Raises:
        NotFound: it was not started by a service or from Python, which keep it.
    """
    paths = SweepPaths(folder)
    for path in (paths.resume_log, paths.start_log):
        if path.is_file():
            return path
    raise NotFound("what the process of this sweep printed was not kept: it was started elsewhere", todo="name a job")


def _below(root: Path) -> list[dict[str, Any]]:
    place = root.resolve()
    if not place.is_dir():
        return []
    return [row for row in list_sweeps(root) if Path(row["path"]).resolve().is_relative_to(place)]
