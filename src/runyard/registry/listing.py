"""The sweeps of a root as they are now: from the registry where its row still holds, from the file where not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runyard.base import RecordError, SweepState
from runyard.registry.database import Registry
from runyard.registry.rows import newest_first, read_sweep_row
from runyard.registry.walk import all_sweep_dirs, stamp_of


def list_sweeps(root: Path) -> list[dict[str, Any]]:
    """A row per sweep of a root, newest first; keys as in ``Registry.rows`` without ``stamp``.

    Right with any registry or none, also for sweeps that it does not know yet; sweeps whose files are gone are
    left out. Writes nothing. States are as the files have them: a dead controller's sweep is still RUNNING.
    """
    known = {row["path"]: row for row in _registry_rows(root)}
    rows = []
    for sweep_dir in all_sweep_dirs(root, [Path(path) for path in known]):
        row = known.get(str(sweep_dir))
        if row is None or row["stamp"] != stamp_of(sweep_dir):
            try:
                row = read_sweep_row(sweep_dir)
            except RecordError:
                continue  # unreadable_sweeps tells of it
        rows.append({k: v for k, v in row.items() if k != "stamp"})
    return newest_first(rows)


def unreadable_sweeps(root: Path) -> list[RecordError]:
    """Why each ``sweep.json`` of a root that cannot be read cannot be read."""
    problems = []
    for sweep_dir in all_sweep_dirs(root, []):
        try:
            read_sweep_row(sweep_dir)
        except RecordError as exc:
            problems.append(exc)
    return problems


def differences(root: Path) -> list[str]:
    """In what the registry differs from the files, a sentence each; sweeps at work are not compared.

    Raises:
        RecordError: the registry cannot be read.
    """
    registry = Registry(root)
    known = {row.pop("path"): row for row in registry.rows()}
    runs = registry.run_counts() if known else {}
    found = []
    for row in list_sweeps(root):
        path = row.pop("path")
        mine = known.pop(path, None)
        if row["state"] == SweepState.RUNNING.value:
            continue
        if mine is None:
            found.append(f"sweep {row['sweep_id']} is missing")
        elif {k: v for k, v in mine.items() if k != "stamp"} != row:
            found.append(f"sweep {row['sweep_id']} has changed since")
        elif runs.get(path, {}) != row["counts"]:
            found.append(f"runs of sweep {row['sweep_id']} are missing or have changed since")
    return found + [f"sweep {row['sweep_id']} is gone" for row in known.values()]


def _registry_rows(root: Path) -> list[dict[str, Any]]:
    try:
        return Registry(root).rows()
    except RecordError:
        return []
