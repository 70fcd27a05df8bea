"""The jobs of one day, read from a CSV file. Knows no policy."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from runyard import UsageError

COORDINATES = ("sender_lat", "sender_lng", "recipient_lat", "recipient_lng")
_ZONED = r"[T ].*(?:Z|[+-]\d\d:?(?:\d\d)?)\s*$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """The usable rows of a jobs file, in the order of (time, row).

    Attributes:
        time_us: microseconds since the earliest job, ascending; shape (n,). Whole numbers, so that
            "within d" is exact.
        origin: (lat, lng) of the senders; shape (n, 2).
        destination: (lat, lng) of the recipients; shape (n, 2).
        skipped_rows: rows left out because a value was missing or could not be read.
        sha256: hash of the file's bytes.
    """

    time_us: NDArray[np.int64]
    origin: NDArray[np.float64]
    destination: NDArray[np.float64]
    skipped_rows: int
    sha256: str

    def __len__(self) -> int:
        return len(self.time_us)

    @property
    def length(self) -> NDArray[np.float64]:
        """Straight distance from origin to destination; shape (n,), in the unit of the coordinates."""
        delta = self.origin - self.destination
        return np.asarray(np.sqrt((delta * delta).sum(axis=1)))

    @property
    def extent(self) -> float:
        """The longer side of the box around all points; 1 when they all coincide."""
        points = np.concatenate([self.origin, self.destination])
        return float(np.ptp(points, axis=0).max()) or 1.0


def read_jobs(path: Path, timestamp_column: str) -> Jobs:
    """Reads a jobs file.

    Rows with a missing, infinite or unreadable value, or with too few or too many cells, are skipped and counted.
    Times are ISO 8601; without a zone they are taken as UTC. They count to the microsecond.

    Args:
        path: a CSV file with the columns of ``COORDINATES`` and the timestamp column.
        timestamp_column: the name of that column.

    Raises:
        UsageError: no such file, a column is missing, or no row can be used.
    """
    data = _read_bytes(path)
    table, malformed = _read_table(data, [*COORDINATES, timestamp_column], path)
    points = np.column_stack([pd.to_numeric(table[c], errors="coerce").to_numpy(float) for c in COORDINATES])
    times = _instants(table[timestamp_column])
    usable = np.isfinite(points).all(axis=1) & times.notna().to_numpy(bool)
    if not usable.any():
        raise UsageError(
            f"no usable row among {len(table) + malformed}",
            where=str(path),
            todo=f"check that {timestamp_column!r} holds ISO 8601 times and {', '.join(COORDINATES)} hold numbers",
        )
    instants = times[usable].dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64)
    order = np.argsort(instants, kind="stable")
    points = points[usable][order]
    return Jobs(
        time_us=instants[order] - instants[order[0]],
        origin=points[:, :2],
        destination=points[:, 2:],
        skipped_rows=int((~usable).sum()) + malformed,
        sha256=hashlib.sha256(data).hexdigest(),
    )


def save_jobs(path: Path, jobs: Jobs) -> None:
    """Writes the jobs to a .npz file; the same jobs give the same bytes."""
    np.savez(
        path,
        time_us=jobs.time_us,
        origin=jobs.origin,
        destination=jobs.destination,
        skipped_rows=jobs.skipped_rows,
        sha256=jobs.sha256,
    )


def load_jobs(path: Path) -> Jobs:
    """The jobs that ``save_jobs`` wrote."""
    with np.load(path) as saved:
        arrays = {name: saved[name] for name in ("time_us", "origin", "destination")}
        return Jobs(**arrays, skipped_rows=int(saved["skipped_rows"]), sha256=str(saved["sha256"]))


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise UsageError(
            f"cannot read the jobs file {path}: {exc.strerror}",
            where=f"jobs_csv or jobs_template, from the directory {Path.cwd()}",
            todo="generate synthetic days with 'python -m app.workloads.dispatch.generate --days 8 --out data', "
            "or point jobs_template at your own files",
        ) from exc


def _read_table(data: bytes, needed: Sequence[str], path: Path) -> tuple[pd.DataFrame, int]:
    """The needed columns as text, and how many rows do not have as many cells as the header.

    Not by pandas, which reads a whole file one column off when its first row is too long.
    """
    reader = csv.reader(io.StringIO(data.decode("utf-8-sig", errors="replace"), newline=""))
    try:
        header = next(reader, [])
        rows = [row for row in reader if row]
    except csv.Error as exc:
        raise UsageError(f"not a CSV file: {exc}", where=str(path), todo="check the file") from exc
    check_columns(header, needed, path)
    whole = [row for row in rows if len(row) == len(header)]
    place = {name: header.index(name) for name in needed}
    columns = {name: [row[k] for row in whole] for name, k in place.items()}
    return pd.DataFrame(columns, dtype=str), len(rows) - len(whole)


def _instants(text: pd.Series[str]) -> pd.Series[pd.Timestamp]:
    """Times in UTC; NaT where the text is none. Shape (rows,)."""
    zoned = text.str.contains(_ZONED, na=False)
    # Apart, because pandas 2 gives a time without a zone the zone of the row before it.
    with_zone, without = (
        pd.to_datetime(text.where(rows), utc=True, format="ISO8601", errors="coerce") for rows in (zoned, ~zoned)
    )
    return with_zone.fillna(without)


def check_columns(found: Sequence[str], needed: Sequence[str], path: Path) -> None:
    """Raises UsageError when a needed column is not among those of a file."""
    missing = [name for name in needed if name not in found]
    if missing:
        raise UsageError(
            f"missing column{'s' if len(missing) > 1 else ''}: {', '.join(missing)}",
            where=f"{path}; columns found: {', '.join(found)}",
            todo="rename the column, or name the column of the times with timestamp_column=NAME",
        )
