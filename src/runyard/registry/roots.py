"""Roots: where sweeps lie when nobody says otherwise, and to which of several a sweep belongs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runyard.registry.listing import list_sweeps

#: below the working directory.
DEFAULT_ROOTS = (Path("multirun"), Path("outputs"))


def root_of(sweep_dir: Path, roots: Sequence[Path]) -> Path | None:
    """The root that a sweep belongs to: the one it lies in, else one whose registry or index names it."""
    place = sweep_dir.resolve()
    for root in roots:
        if place.is_relative_to(root.resolve()):
            return root
    for root in roots:
        if any(Path(row["path"]).resolve() == place for row in list_sweeps(root)):
            return root
    return None
