"""Removing sweeps and runs: frees what nobody refers to. What is promoted, tagged, or referred to stays."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runyard.base import RecordError, UsageError
from runyard.lifecycle.keeping import Hold, holds_on
from runyard.lifecycle.listed import delist, pass_on_latest
from runyard.lifecycle.moving import remove_folder
from runyard.lifecycle.work import at_work, idle
from runyard.record import SweepRecord, read_runs, read_sweep


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What is to go: a sweep (``job`` None) or the folder of one run, and how many bytes that frees."""

    sweep_dir: Path
    root: Path | None
    record: SweepRecord
    job: int | None
    folder: Path
    frees_bytes: int
    refused: str = ""


def plan_removal(
    sweep_dir: Path, job: int | None, *, root: Path | None, roots: Sequence[Path], conf_dirs: Sequence[Path]
) -> Removal:
    """What removing a sweep, or the run of one job, would free; ``refused`` says why it must stay. Changes nothing.

    Args:
        sweep_dir: the sweep, or single run.
        job: the number of a job, None for the whole.
        root: the root whose registry and index know the sweep, or None.
        roots: where to look for what refers to it.
        conf_dirs: config directories whose champions are known.

    Raises:
        UsageError: there is no such job, or its folder is gone already.
        RecordError: a file that says what is to be kept cannot be read.
    """
    record = read_sweep(sweep_dir)
    job = None if record.single else job
    folder = sweep_dir if job is None else _run_folder(sweep_dir, job)
    who = at_work(sweep_dir)
    why = [f"is running: {who} is at work on it"] if who else []
    why += [_said(hold) for hold in _that_count(holds_on(sweep_dir, record, roots=roots, conf_dirs=conf_dirs), job)]
    return Removal(
        sweep_dir=sweep_dir,
        root=root,
        record=record,
        job=job,
        folder=folder,
        frees_bytes=freed_bytes(folder),
        refused="; ".join(why),
    )


def _that_count(holds: Sequence[Hold], job: int | None) -> list[Hold]:
    """The reasons that keep a job: its own and the sweep's. All of them keep the whole sweep."""
    return [hold for hold in holds if job is None or hold.job in (None, job)]


def _said(hold: Hold) -> str:
    return hold.why if hold.job is None else f"job {hold.job}: {hold.why}"


def _run_folder(sweep_dir: Path, job: int) -> Path:
    for run in read_runs(sweep_dir):
        if run.job == job:
            folder = Path(run.run_dir)
            if not folder.is_dir():
                raise UsageError(f"job {job} has no files any more", where=str(folder))
            if not folder.resolve().is_relative_to(sweep_dir.resolve()) or folder.resolve() == sweep_dir.resolve():
                raise UsageError(f"the files of job {job} do not lie inside its sweep", where=str(folder))
            return folder
    raise UsageError(f"no job {job} in this sweep", where=str(sweep_dir))


def remove(removal: Removal) -> str:
    """Takes away what was planned; returns what went wrong with the registry, which is no reason to stop.

    A run's result stays in the sweep's journal and tables: its files go, with its ``run.json``, so that no later job
    takes its result over.

    Raises:
        UsageError: it must stay.
        SweepBusy: somebody works on the sweep.
    """
    name = removal.record.sweep_id if removal.job is None else f"{removal.record.sweep_id}/{removal.job}"
    if removal.refused:
        raise UsageError(f"{name} stays: {removal.refused}", where=str(removal.folder))
    root = removal.root if removal.job is None else None
    with idle(removal.sweep_dir, "be removed"):
        if root is not None:
            pass_on_latest(root, removal.record, removal.sweep_dir)
        remove_folder(removal.folder)
    try:
        if root is not None:
            delist(root, removal.record)
    except (RecordError, OSError) as exc:
        return str(exc)
    return ""


def freed_bytes(folder: Path) -> int:
    """Bytes on disk that removing a folder frees: files that have names elsewhere too (hard links) free nothing."""
    seen: dict[tuple[int, int], list[int]] = {}
    total = 0
    for above, folders, files in os.walk(folder):
        for name in (*folders, *files):
            stat = os.lstat(os.path.join(above, name))
            if name in folders or stat.st_nlink == 1:
                total += stat.st_blocks * 512
            else:
                seen.setdefault((stat.st_dev, stat.st_ino), [0, stat.st_nlink, stat.st_blocks * 512])[0] += 1
    return total + sum(size for found, links, size in seen.values() if found >= links)
