"""A sweep whose directory is used again is set aside, whole, before the new one begins: nothing is written over."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from runyard.base import RecordError, SweepBusy
from runyard.record import SweepPaths, find_run_dirs, is_held, read_holder, read_sweep, shown

#: where earlier sweeps of a directory are kept, by their ids.
PREVIOUS = "previous"


def set_aside(folder: Path) -> Path | None:
    """Moves a sweep's files and runs from ``folder`` to ``folder/previous/<sweep_id>``; returns that, or None.

    Hydra runs a sweep again into a directory of the user's own, and writes over what is there. Files that are
    neither the sweep's nor its runs' stay where they are.

    Raises:
        SweepBusy: a controller is at work on it.
    """
    paths = SweepPaths(folder)
    if not paths.sweep_json.exists():
        return None
    if is_held(paths.lock):
        holder = read_holder(paths.lock) or {}
        raise SweepBusy(
            f"process {holder.get('pid', '?')} on {holder.get('host', '?')} runs a sweep in this directory",
            where=str(folder),
            todo="wait for it, or give another directory",
        )
    target = _free_name(folder / PREVIOUS / _id_of(folder))
    target.mkdir(parents=True)
    for entry in [*_run_folders(folder), *_own_files(paths), paths.sweep_json]:
        if entry.exists():
            os.rename(entry, target / entry.name)
    sys.stderr.write(f"runyard: the sweep that was in {shown(folder)} is now in {shown(target)}\n")
    return target


def _id_of(folder: Path) -> str:
    try:
        return read_sweep(folder).sweep_id
    except RecordError:
        return "unreadable"


def _free_name(wanted: Path) -> Path:
    number, name = 1, wanted
    while name.exists():
        number += 1
        name = wanted.with_name(f"{wanted.name}-{number}")
    return name


def _own_files(paths: SweepPaths) -> list[Path]:
    """What ``SweepPaths`` names, but for the record: it moves last, so that a kill leaves a sweep to mend."""
    names = [name for name, value in vars(SweepPaths).items() if isinstance(value, property)]
    own = {getattr(paths, name) for name in names}
    return [path for path in sorted(own - {paths.sweep_json}) if path.parent == paths.dir]


def _run_folders(folder: Path) -> list[Path]:
    """The entries of the directory in which its runs lie."""
    tops = {folder / run.relative_to(folder).parts[0] for run in find_run_dirs(folder) if run != folder}
    return sorted(top for top in tops if top.name != PREVIOUS)
