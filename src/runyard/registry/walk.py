"""Where the sweeps of a root lie: looks for ``sweep.json`` and reads none."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runyard.record import LATEST, SweepPaths
from runyard.registry.index import indexed_dirs

#: levels below a root at which a sweep may lie. Ours lie on the second, Hydra's own default too.
_DEEPEST = 5
#: what Hydra leaves in a directory of its own; without sweep.json there it is no concern of ours, nor what is below.
_HYDRA_MARKS = frozenset({".hydra", "multirun.yaml"})


@dataclass(frozen=True, slots=True)
class FoundSweep:
    """A directory with a ``sweep.json``, and a stamp that changes whenever the file is replaced."""

    dir: Path
    stamp: str


def stamp_of(sweep_dir: Path) -> str | None:
    """Time, size and inode of ``sweep.json`` as text; None when there is none."""
    try:
        stat = os.stat(SweepPaths(sweep_dir).sweep_json)
    except OSError:
        return None
    return f"{stat.st_mtime_ns}-{stat.st_size}-{stat.st_dev}:{stat.st_ino}"


def find_sweep_dirs(root: Path) -> Iterator[FoundSweep]:
    """Every sweep below a root, each once, also behind links; ``latest`` is passed over. Order: by name."""
    seen: set[str] = set()
    for directory in _walk(root, _DEEPEST):
        stamp = stamp_of(directory)
        if stamp is not None and stamp not in seen:
            seen.add(stamp)
            yield FoundSweep(directory, stamp)


def all_sweep_dirs(root: Path, more: Sequence[Path]) -> list[Path]:
    """Directories of sweeps below a root, then those elsewhere of ``more`` and of index.csv; each once, absolute."""
    found = {f.stamp: Path(os.path.abspath(f.dir)) for f in find_sweep_dirs(root)}
    for directory in (*more, *indexed_dirs(root)):
        stamp = stamp_of(directory)
        if stamp is not None:
            found.setdefault(stamp, directory)
    return list(found.values())


def _walk(folder: Path, levels: int) -> Iterator[Path]:
    """Directories that have a ``sweep.json``. One look at each of them: a sweep can have 10,000 runs in it."""
    if os.path.isfile(SweepPaths(folder).sweep_json):
        yield folder
        return
    if levels == 0:
        return
    try:
        with os.scandir(folder) as entries:
            here = list(entries)
    except OSError:
        return
    if any(entry.name in _HYDRA_MARKS for entry in here):
        return
    # links come last, so that a sweep that is also linked to is known by its own place
    for entry in sorted(here, key=lambda e: (e.is_symlink(), e.name)):
        if entry.name != LATEST and not entry.name.startswith(".") and entry.is_dir():
            yield from _walk(folder / entry.name, levels - 1)
