"""What can be known of a dispatch job before it runs: its settings, and the columns of its file."""

from __future__ import annotations

import csv
import functools
from pathlib import Path

from app.workloads.dispatch.config import DispatchConfig, jobs_path, validate
from app.workloads.dispatch.jobs import COORDINATES, check_columns


def preflight(cfg: DispatchConfig) -> None:
    """Checks the settings and, where the jobs file is there, its header.

    A file that is missing is left to the job, which fails: the other days of a sweep can run.

    Raises:
        UsageError: a setting is wrong, or the file lacks a column.
    """
    validate(cfg)
    path = jobs_path(cfg)
    columns = _header(path, path.stat().st_mtime_ns) if path.is_file() else None
    if columns is not None:
        check_columns(columns, [*COORDINATES, cfg.timestamp_column], path)


@functools.lru_cache(maxsize=64)
def _header(path: Path, changed_ns: int) -> tuple[str, ...] | None:
    """Names of the columns; None for a file that cannot be read as text, of which the job will tell more."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return tuple(next(csv.reader(file), ()))
    except (OSError, UnicodeDecodeError, csv.Error):
        return None
