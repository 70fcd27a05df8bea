"""A sweep's places in the common files of a root: registry, index.csv, latest. Derived: the files are the truth."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

from runyard.base import write_text
from runyard.lifecycle.hold import held
from runyard.record import RootPaths, SweepRecord
from runyard.registry import Registry, add_to_index, list_sweeps, point_latest


def enlist(root: Path, record: SweepRecord, sweep_dir: Path) -> None:
    """Gives a sweep its places in a root. ``latest`` names it when there is none newer of its experiment.

    Raises:
        RecordError: the registry cannot be used, or others hold the root's lock for too long.
    """
    Registry(root).put(sweep_dir)
    add_to_index(root, record, sweep_dir)
    newest = _newest(root, record.experiment, None)
    if newest is not None and newest == Path(os.path.abspath(sweep_dir)):
        point_latest(root, record.experiment, sweep_dir)


def delist(root: Path, record: SweepRecord) -> None:
    """Takes a sweep out of the registry and the index of a root, after its files have gone. Raises as ``enlist``."""
    Registry(root).remove(record.sweep_id)
    path = RootPaths(root).index_csv
    with held(RootPaths(root).registry_lock):
        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError:
            return
        reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
        rows = list(reader)
        kept = [row for row in rows if row.get("sweep_id") != record.sweep_id]
        if len(kept) < len(rows):
            out = io.StringIO(newline="")
            writer = csv.DictWriter(out, reader.fieldnames or (), extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(kept)
            write_text(path, out.getvalue())


def pass_on_latest(root: Path, record: SweepRecord, sweep_dir: Path) -> None:
    """Makes ``latest`` name the newest of the other sweeps of the experiment, if it names this one; before it goes."""
    link = RootPaths(root).latest(record.experiment)
    if not _names(link, sweep_dir):
        return
    newest = _newest(root, record.experiment, sweep_dir)
    if newest is not None:
        point_latest(root, record.experiment, newest)
    else:
        link.unlink(missing_ok=True)


def _names(link: Path, sweep_dir: Path) -> bool:
    """Whether a pointer, a link or a text file, names a sweep."""
    if link.is_symlink():
        return os.path.realpath(link) == os.path.realpath(sweep_dir)
    try:
        target = link.read_text(encoding="utf-8").strip()
    except OSError:
        return False
    return os.path.realpath(link.parent / target) == os.path.realpath(sweep_dir)


def _newest(root: Path, experiment: str, but: Path | None) -> Path | None:
    """The newest sweep of an experiment, but for one."""
    for row in list_sweeps(root):
        path = Path(row["path"])
        if row["experiment"] == experiment and (but is None or os.path.realpath(path) != os.path.realpath(but)):
            return path
    return None
