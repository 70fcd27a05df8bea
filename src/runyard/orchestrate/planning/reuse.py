"""Taking over the result of an earlier run with the same config and the same code, instead of running again.

The files of the earlier run are linked (copied where the file system has no links), so that either can be removed
without the other; the record is this job's own, and says whose result it is. All of it is made beside its place and
renamed: a job never runs in a folder whose files are another's.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

from runyard.base import RecordError, State
from runyard.orchestrate.planning.past import Past, PastRun
from runyard.record import RUN_FILE, Code, RunRecord, code_of, write_run


class Reuse:
    """Finds completed runs of the jobs of one sweep. ``past`` are the earlier sweeps."""

    def __init__(self, past: Past) -> None:
        self._past = past

    def take(self, blank: RunRecord) -> RunRecord | None:
        """Takes over the result for a job; None when there is none, and it must run.

        Args:
            blank: the job's record to be. Its folder is made and filled, and its record written last.
        """
        for run in self._past.runs({blank.run_key}).get(blank.run_key, []):
            if run.state is State.COMPLETED and self._past.changes(run) == []:
                try:
                    return self._take(run, blank)
                except (OSError, RecordError):
                    continue  # it is being removed, or cannot be read: not to be had
        return None

    def _take(self, run: PastRun, blank: RunRecord) -> RunRecord | None:
        before, code = self._past.record(run), None
        if before is not None:
            code = code_of(before, run.sweep_dir)
        if before is None or code is None:
            return None
        folder = Path(blank.run_dir)
        beside = folder.parent / f".{folder.name}.reused"
        shutil.rmtree(beside, ignore_errors=True)  # what a killed controller has left
        try:
            return self._fill(run, blank, before, code, beside)
        finally:
            shutil.rmtree(beside, ignore_errors=True)  # where it did not get its name

    @staticmethod
    def _fill(run: PastRun, blank: RunRecord, before: RunRecord, code: Code, beside: Path) -> RunRecord:
        link_folder(run.run_dir, beside)
        record = dataclasses.replace(
            blank,
            state=State.COMPLETED,
            metrics=before.metrics,
            stages=before.stages,
            attempts=before.attempts,
            seconds=before.seconds,
            provenance={**before.provenance, "code": {"base": None, "files": dict(code.files)}},
            reused={"sweep_id": run.sweep_id, "job": run.job, "run_dir": str(run.run_dir)},
        )
        write_run(record, beside)
        os.rename(beside, blank.run_dir)  # fails where something is in that folder: then the job runs
        return record


def link_folder(source: Path, target: Path) -> None:
    """Links every file of a run but its record into another folder, in the place of what is there.

    Raises:
        OSError: a file is gone, or the disk is full.
    """
    for folder, _, files in os.walk(source):
        here = target / os.path.relpath(folder, source)
        os.makedirs(here, exist_ok=True)
        for name in files:
            if name != RUN_FILE or Path(folder) != source:
                _link(Path(folder, name), here / name)


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)
